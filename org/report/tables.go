package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/stint-dev/stint/org"
	"github.com/stint-dev/stint/reach"
)

// A builder turns a document into tables. It reads each analysis once, and keeps of it
// what the page shows.
type builder struct {
	doc  *org.Document
	link linker
	pool pool
	// of is the group of each repository, -1 for none: those with the same files share one.
	of     []int
	groups []group
	// place finds a repository by its name in lower case.
	place map[string]int

	severity [reach.Critical + 1]int // findings by severity
	routes   map[route]*path
	changes  map[string]*lever
	unlisted map[named]*usage
	gaps     map[gap]int
}

// A group is what an analysis says of each repository that has it.
type group struct {
	pairs, worst   int
	findings, jobs rows
	unread         []org.Unread
}

func newBuilder(d *org.Document) (*builder, error) {
	b := &builder{
		doc: d, link: linkerOf(d), place: map[string]int{}, of: make([]int, len(d.Repositories)),
		routes: map[route]*path{}, changes: map[string]*lever{}, unlisted: map[named]*usage{}, gaps: map[gap]int{},
	}
	for i, r := range d.Repositories {
		b.place[strings.ToLower(r.Name)], b.of[i] = i, -1
	}
	listed := b.listed()
	err := d.EachAnalysis(func(a *org.Analysis, repositories []int) error {
		for _, i := range repositories {
			b.of[i] = len(b.groups)
		}
		b.add(a, len(repositories))
		for i := range a.Jobs {
			b.addPaths(&a.Jobs[i], len(b.groups), repositories)
		}
		b.addLevers(a, repositories)
		b.addUnlisted(a, repositories, listed)
		return nil
	})
	return b, err
}

// add adds an analysis as the group of n repositories.
func (b *builder) add(a *org.Analysis, n int) {
	g := group{pairs: a.Pairs, worst: -1, findings: b.findingRows(a), jobs: b.jobRows(a)}
	for _, f := range a.Findings {
		s := int(severity(f.Severity).n)
		b.severity[s] += n
		g.worst = max(g.worst, s)
	}
	for _, u := range a.Unread {
		g.unread = append(g.unread, org.Unread{Path: shown(u.Path), Reason: shown(u.Reason)})
	}
	for _, text := range a.NotChecked {
		rule, why, ok := strings.Cut(text, ": ")
		if !ok {
			rule, why = "", text
		}
		b.gaps[gap{"rule", shown(rule), shown(why)}] += n
	}
	b.groups = append(b.groups, g)
}

// group returns what is known of a repository, nil when nothing is.
func (b *builder) group(repository int) *group {
	if b.of[repository] < 0 {
		return nil
	}
	return &b.groups[b.of[repository]]
}

// repository returns the cell of a repository by name.
func (b *builder) repository(name string) cell {
	i, known := b.place[strings.ToLower(name)]
	if !known {
		i = -1
	}
	return cell{n: int32(i)}
}

func (b *builder) at(path string, line int) cell {
	return cell{n: b.pool.index(shown(path)), more: int32(line)}
}

// advice is what a finding says and what to do next, if it says that.
func (b *builder) advice(f org.Finding) cell {
	c := b.pool.add(f.Message)
	if f.Next != "" {
		c.more = b.pool.add(f.Next).n
	}
	return c
}

// maxNames is how many credentials a cell names.
const maxNames = 4

// names lists the first few; all are in the JSON and CSV output.
func (b *builder) names(list []string) cell {
	if left := len(list) - maxNames; left > 0 {
		list = append(slices.Clone(list[:maxNames]), "+"+thousands(left))
	}
	return b.pool.add(strings.Join(list, ", "))
}

func number(n int) cell { return cell{n: int32(n)} }

func severity(name string) cell {
	s, _ := reach.ParseSeverity(name)
	return number(int(s))
}

// tables returns the tables of the page, in its order.
func (b *builder) tables() []*table {
	return []*table{b.findings(), b.jobs(), b.credentials(), b.posture(), b.repositories(), b.notRead(), b.notChecked()}
}

// grouped makes a table of rows that repositories with the same files share.
func (b *builder) grouped(t *table, of func(*group) rows) *table {
	t.of, t.groups = b.of, make([]rows, 0, len(b.groups))
	for i := range b.groups {
		t.groups = append(t.groups, of(&b.groups[i]))
	}
	return t
}

func (b *builder) findings() *table {
	return b.grouped(&table{
		ID: "findings", Title: "Findings", Empty: "No rule found anything in the files that were read.",
		Note: "What lint found in workflow, action and dependency files, graded by what could be taken there.",
		Columns: []column{
			{"Repository", repositoryCell}, {"Severity", severityCell}, {"Rule", codeCell}, {"Place", placeCell}, {"Job", codeCell},
			{"What could be lost", adviceCell}, {"Credentials", codeCell},
		},
		Order: []int{-2},
	}, func(g *group) rows { return g.findings })
}

func (b *builder) findingRows(a *org.Analysis) rows {
	out := newRows(len(a.Findings), 6)
	for _, f := range a.Findings {
		out.cells = append(out.cells, severity(f.Severity), b.pool.add(f.Rule), b.at(f.Path, f.Line), b.pool.add(f.Job), b.advice(f), b.names(f.Credentials))
	}
	return out
}

func (b *builder) jobs() *table {
	return b.grouped(&table{
		ID: "jobs", Title: "Jobs", Empty: "No job was read.",
		Note: "A job is the boundary: all code in it can take all credentials in it. Pairs count foreign code × standing credentials.",
		Columns: []column{
			{"Repository", repositoryCell}, {"Grade", severityCell}, {"Job", codeCell}, {"Place", placeCell}, {"Pairs", numberCell},
			{"Started by", textCell}, {"Worst code, how it is steered", adviceCell}, {"Standing credentials", codeCell}, {"Acts alone", textCell},
		},
		Order: []int{-2, -5},
	}, func(g *group) rows { return g.jobs })
}

func (b *builder) jobRows(a *org.Analysis) rows {
	out := newRows(len(a.Jobs), 8)
	for i := range a.Jobs {
		j := &a.Jobs[i]
		var code cell
		if worst, _ := j.WorstCode(); worst != nil {
			code = cell{b.pool.add(shortCommits(worst.Name)).n, b.pool.add(worst.Trust).n}
		}
		out.cells = append(out.cells, severity(j.Grade), b.pool.add(j.Job), b.at(j.Place.Path, j.Place.Line), number(j.Pairs),
			b.pool.add(j.Starter().String()), code, b.names(j.Standing()), b.pool.add(strings.Join(j.Autonomy, ", ")))
	}
	return out
}

func (b *builder) repositories() *table {
	t := &table{
		ID: "repositories", Title: "Repositories", Empty: "There is no repository.",
		Columns: []column{
			{"Repository", repositoryCell}, {"Pairs", numberCell}, {"Worst", severityCell}, {"Findings", numberCell}, {"Jobs", numberCell},
			{"Visibility", textCell}, {"Status", textCell}, {"Why", textCell}, {"Pushed", dateCell}, {"Read", dateCell},
		},
		Order: []int{-2, -3, -4},
	}
	for i := range b.doc.Repositories {
		r := &b.doc.Repositories[i]
		pairs, worst, findings, jobs := 0, -1, 0, 0
		if g := b.group(i); g == nil && r.Status != org.StatusEmpty && r.Status != org.StatusOK {
			pairs, findings, jobs = -1, -1, -1 // not read is not clean
		} else if g != nil {
			pairs, worst, findings, jobs = g.pairs, g.worst, g.findings.len(), g.jobs.len()
		}
		t.rows = append(t.rows, []cell{
			number(i), number(pairs), number(worst), number(findings), number(jobs),
			b.pool.add(kindOf(r)), b.pool.add(string(r.Status)), b.pool.add(r.Why), number(day(r.Pushed)), number(day(r.Seen)),
		})
	}
	return t
}

func kindOf(r *org.Repository) string {
	out := r.Visibility
	if r.Fork {
		out += " fork"
	}
	if r.Archived {
		out += ", archived"
	}
	return out
}

func (b *builder) posture() *table {
	t := &table{
		ID: "posture", Title: "Posture", Empty: "No setting that could be read was found wanting. See what was not checked below.",
		Note: "What the settings of the organization and its repositories add, graded by what could be taken through them.",
		Columns: []column{
			{"Repository", repositoryCell}, {"Severity", severityCell}, {"Rule", codeCell}, {"What could be lost", adviceCell},
			{"Credentials", codeCell},
		},
		Order: []int{-2},
	}
	if len(b.doc.Settings) == 0 {
		t.Empty = "No setting was asked for: only files were read."
	}
	for _, f := range b.doc.Posture {
		t.rows = append(t.rows, []cell{
			b.repository(f.Path), severity(f.Severity), b.pool.add(f.Rule), b.advice(f), b.names(f.Credentials),
		})
	}
	return t
}

// notRead lists repositories and files that say less than the whole.
func (b *builder) notRead() *table {
	t := &table{
		ID: "not-read", Title: "Not read", Empty: "Every repository and every file was read.",
		Note:    "Nothing is known of these, or only what an earlier run read. They are not clean: they are not in the numbers above.",
		Columns: []column{{"Repository", repositoryCell}, {"Status", textCell}, {"Place", placeCell}, {"Why", textCell}},
	}
	for i := range b.doc.Repositories {
		r := &b.doc.Repositories[i]
		if r.Status != org.StatusOK && r.Status != org.StatusEmpty {
			t.rows = append(t.rows, []cell{number(i), b.pool.add(string(r.Status)), b.at("", 0), b.pool.add(r.Why)})
		}
		if g := b.group(i); g != nil {
			for _, u := range g.unread {
				t.rows = append(t.rows, []cell{number(i), b.pool.add("file not read"), b.at(u.Path, 0), b.pool.add(u.Reason)})
			}
		}
	}
	return t
}

// A gap is something that was not checked, in some repositories.
type gap struct{ kind, what, why string }

// notChecked lists the settings that the token may not read, the checks that need them
// and what rules left out, with the number of repositories.
func (b *builder) notChecked() *table {
	t := &table{
		ID: "not-checked", Title: "Not checked", Empty: "Every check was made.",
		Note:    "A setting that could not be read is not a setting that is fine.",
		Columns: []column{{"Kind", textCell}, {"What", codeCell}, {"Why, or the permission it needs", textCell}, {"Repositories", numberCell}},
		Order:   []int{-4},
	}
	counts := maps.Clone(b.gaps)
	for _, s := range b.doc.Settings {
		if !s.Readable {
			counts[gap{"setting not readable", s.Name, s.Needs}]++
		}
	}
	for _, n := range b.doc.NotChecked {
		counts[gap{"posture check not made", n.Rule, n.Why}] += n.Count
	}
	gaps := make([]gap, 0, len(counts))
	for g := range counts {
		gaps = append(gaps, g)
	}
	slices.SortFunc(gaps, func(a, b gap) int {
		return cmp.Or(strings.Compare(a.kind, b.kind), strings.Compare(a.what, b.what), strings.Compare(a.why, b.why))
	})
	for _, g := range gaps {
		t.rows = append(t.rows, []cell{b.pool.add(g.kind), b.pool.add(g.what), b.pool.add(g.why), number(counts[g])})
	}
	return t
}
