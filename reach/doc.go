// Package reach is the graph that gives stint its judgement: which code can take
// which credential in which job.
//
// How it thinks. The boundary is the job: every step is given the id-token
// request variables when the job has id-token: write, and code in a job can read
// the runner's memory, which holds every secret that the job refers to, those of
// later steps too (every serious payload since tj-actions, March 2025, did so).
// So all code of a job reaches all credentials of a job, whatever step they are
// written in.
//
// Composite actions and reusable workflows of the same repository are followed;
// what lies elsewhere is a stated [Unknown], never assumed clean.
//
// Severity is one function ([Grade]) of what can be taken, how long it lives, who
// can steer the code, and who can start the job.
package reach
