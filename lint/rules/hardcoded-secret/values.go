package hardcodedsecret

import (
	"slices"
	"strings"

	"github.com/stint-dev/stint/lint"
	"github.com/stint-dev/stint/reach"
	"github.com/stint-dev/stint/workflows"
	"github.com/stint-dev/stint/workflows/platform"
)

// A value is a constant text with the name under which it stands.
type value struct {
	name, text string
	span       workflows.Span
	job        *reach.Job
	// what it is, for messages.
	what string
	// action is the owner/repo of the action that takes the value, "" for none.
	action string
	// login is set for the password of a login to a registry or host elsewhere,
	// which is a credential whatever it looks like.
	login bool
}

// isSecret reports whether the value is a credential: its name says so and it
// looks like what a generator makes. Nothing is decided by randomness alone:
// commits, digests and cache keys are as random.
func (v value) isSecret() bool {
	if v.login {
		return v.text != "" && !strings.ContainsAny(v.text, "$<{") && !platform.IsPlaceholder(v.text)
	}
	return !strings.ContainsAny(v.text, " \t\n$<{(,") && platform.LooksRandom(v.text) && platform.NamesSecret(v.name) &&
		!strings.Contains(v.text, "://") && !readable(v.text) && !(v.ofDatabase() && startsServices(v.job))
}

// readable reports whether a value is made of words: a path, a name of something, a version.
func readable(text string) bool {
	return strings.HasPrefix(text, "/") || strings.HasPrefix(text, ".") ||
		!slices.ContainsFunc(strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("-_./:@", r) }), isMixed)
}

// isMixed reports whether a word has a digit before a letter, or letters of both
// cases that do not start words: no name that people give has, other than v1.2.
func isMixed(word string) bool {
	turns := 0
	for i := 1; i < len(word); i++ {
		if class(word[i]) != class(word[i-1]) {
			turns++
		}
	}
	return len(word) >= 8 && turns >= 4
}

func class(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return 0
	case c >= 'a' && c <= 'z':
		return 1
	}
	return 2
}

func (v value) ofDatabase() bool {
	return platform.LookupSecret(v.name).Opens == "database" || strings.Contains(strings.ToLower(v.name), "password")
}

// startsServices reports whether the job runs servers of its own, whose passwords
// open nothing outside it.
func startsServices(job *reach.Job) bool {
	if job == nil {
		return false
	}
	if len(job.Job.Services) > 0 {
		return true
	}
	for _, s := range job.Job.AllSteps() {
		if s.Run == nil {
			continue
		}
		for _, c := range s.Run.Commands {
			if slices.Contains([]string{"docker", "docker-compose", "podman", "kind", "minikube", "k3d", "initdb", "pg_ctl", "systemctl", "service", "supabase"}, c.Name) {
				return true
			}
		}
	}
	return false
}

// values calls visit for each constant value of the file that stands under a name.
func values(p *lint.Pass, visit func(value)) {
	if w := p.File.Workflow; w != nil {
		entries(w.Env, nil, visit)
	}
	p.Jobs(func(job *reach.Job) {
		j := job.Job
		entries(j.Env, job, visit)
		entries(j.With, job, visit)
		entries(j.Secrets, job, visit)
		if j.Container != nil {
			entries(j.Container.Env, job, visit)
		}
		// The env: of a service is left out: it ends with the job.
		for _, c := range append(slices.Clone(j.Services), j.Container) {
			credentials(c, job, visit)
		}
	})
	p.Steps(func(s *workflows.Step, job *reach.Job) {
		entries(s.Env, job, visit)
		entries(s.With, job, func(v value) {
			if s.Uses != nil {
				v.action = s.Uses.Name()
			}
			visit(v)
		})
		if s.Run != nil {
			for _, c := range s.Run.Commands {
				command(c, job, visit)
			}
		}
	})
	if a := p.File.Action; a != nil {
		entries(a.Env, nil, visit)
		for _, in := range a.Inputs {
			scalar(in.Name.String(), in.Default, nil, visit)
		}
	}
}

func entries(m *workflows.Map, job *reach.Job, visit func(value)) {
	for _, e := range m.All() {
		scalar(e.Key.Value, e.Value, job, visit)
	}
}

func scalar(name string, s *workflows.Scalar, job *reach.Job, visit func(value)) {
	if text, ok := s.Const(); ok {
		text = strings.TrimRight(text, "\n") // of a block
		visit(value{name: name, text: text, span: s.SpanOf(0, len(text)), job: job, what: "a literal value of " + name})
	}
}

// credentials visits the password with which an image is pulled.
func credentials(c *workflows.Container, job *reach.Job, visit func(value)) {
	if c == nil || c.Password == nil || isLocal(c.Image.String()) {
		return
	}
	if text, ok := c.Password.Const(); ok {
		visit(value{name: "password", text: text, span: c.Password.SpanOf(0, len(text)), job: job, what: "the registry password of " + container(c), login: true})
	}
}

func container(c *workflows.Container) string {
	if c.Name == "" {
		return "the container"
	}
	return "the service " + c.Name
}

func isLocal(image string) bool {
	return strings.HasPrefix(image, "localhost") || strings.HasPrefix(image, "127.")
}

// command visits the variables that a command sets and the credentials among its
// arguments.
func command(c *workflows.Command, job *reach.Job, visit func(value)) {
	for _, a := range c.Assigns {
		if a.Value.Const {
			visit(value{name: a.Name, text: a.Value.Text, span: a.Value.Span, job: job, what: "a literal value of " + a.Name})
		}
	}
	args := c.Args()
	login := c.Name == "sshpass" || len(args) > 0 && args[0].Text == "login" && !isLocal(args[len(args)-1].Text)
	for i, w := range args {
		flag, text, joined := strings.Cut(w.Text, "=")
		if !strings.HasPrefix(flag, "-") || !w.Const {
			continue
		}
		if !joined {
			if i+1 == len(args) || !args[i+1].Const {
				continue
			}
			w, text = args[i+1], args[i+1].Text
		}
		v := value{name: strings.TrimLeft(flag, "-"), text: text, span: w.Span, job: job, what: "a literal argument of " + flag}
		v.login = login && (flag == "-p" || flag == "--password") && (c.Name == "sshpass" || c.Name == "docker" || c.Name == "podman" || c.Name == "helm")
		visit(v)
	}
}
