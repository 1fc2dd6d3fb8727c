package reach

// A Document is a graph as versioned JSON.
type Document struct {
	Version    int             `json:"version"`
	Repository string          `json:"repository"`
	Pairs      int             `json:"pairs"`
	Jobs       []DocumentJob   `json:"jobs"`
	Levers     []DocumentLever `json:"levers"`
}

// A DocumentJob is one job of a Document.
type DocumentJob struct {
	Path        string               `json:"path"`
	Job         string               `json:"job"`
	Place       DocumentPlace        `json:"place"`
	Grade       string               `json:"grade"`
	Starts      []DocumentStart      `json:"starts"`
	Environment string               `json:"environment,omitempty"`
	Autonomy    []string             `json:"autonomy"`
	Code        []DocumentCode       `json:"code"`
	Credentials []DocumentCredential `json:"credentials"`
	Unknown     []string             `json:"unknown"`
	Pairs       int                  `json:"pairs"`
	Sentence    string               `json:"sentence"`
}

// A DocumentStart is one way to start a job.
type DocumentStart struct {
	Event string `json:"event"`
	Who   string `json:"who"`
}

// A DocumentPlace is a place in a file: lines and columns from 1, columns in
// characters, offset in bytes.
type DocumentPlace struct {
	Path   string `json:"path"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Offset int    `json:"offset"`
}

// A DocumentCode is code that runs in a job.
type DocumentCode struct {
	Name    string          `json:"name"`
	Trust   string          `json:"trust"`
	Foreign bool            `json:"foreign"`
	Why     string          `json:"why"`
	Place   DocumentPlace   `json:"place"`
	Via     []DocumentPlace `json:"via,omitempty"`
}

// A DocumentCredential is a credential of a job.
type DocumentCredential struct {
	Name     string          `json:"name"`
	Kind     string          `json:"kind"`
	Lifetime string          `json:"lifetime"`
	Opens    string          `json:"opens,omitempty"`
	Scopes   []string        `json:"scopes,omitempty"`
	Enters   []DocumentPlace `json:"enters"`
	// Default is set for a repository token whose permissions no file states.
	Default bool `json:"default,omitempty"`
}

// A DocumentLever is a change that takes pairs away.
type DocumentLever struct {
	What  string          `json:"what"`
	Pairs int             `json:"pairs"`
	Sites []DocumentPlace `json:"sites"`
}

// Document returns the graph as data; jobs restricts it to some jobs, nil means all.
func (g *Graph) Document(jobs []*Job) Document {
	if jobs == nil {
		jobs = g.Jobs
	}
	pairs := g.Pairs()
	of := map[*Job]int{}
	for _, p := range pairs {
		of[p.Job]++
	}
	d := Document{Version: 1, Repository: g.Repository.Name, Pairs: len(pairs), Jobs: []DocumentJob{}, Levers: []DocumentLever{}}
	for _, j := range jobs {
		doc := j.document()
		doc.Pairs = of[j]
		d.Jobs = append(d.Jobs, doc)
	}
	for _, l := range g.Levers() {
		d.Levers = append(d.Levers, DocumentLever{l.What, l.Pairs, places(l.Sites)})
	}
	return d
}

func (j *Job) document() DocumentJob {
	d := DocumentJob{
		Path: j.File.Path, Job: j.Job.ID, Place: place(Site{j.File, j.Job.IDSpan}), Grade: j.Grade().String(),
		Starts: []DocumentStart{}, Environment: j.Environment, Autonomy: append([]string{}, j.Autonomy...),
		Code: []DocumentCode{}, Credentials: []DocumentCredential{}, Unknown: []string{}, Sentence: j.Sentence(),
	}
	for _, s := range j.Starts {
		d.Starts = append(d.Starts, DocumentStart{s.Event, s.Who.String()})
	}
	for _, c := range j.Code {
		d.Code = append(d.Code, DocumentCode{c.Name, c.Trust.String(), c.Trust.Foreign(), c.Why, place(c.Site), places(c.Via)})
	}
	for _, c := range j.Credentials {
		d.Credentials = append(d.Credentials, DocumentCredential{
			c.Name, string(c.Kind), c.Lifetime.String(), c.Opens, c.Scopes, places(c.Enters), c.Default,
		})
	}
	for _, u := range j.Unknown {
		d.Unknown = append(d.Unknown, u.What)
	}
	return d
}

func place(s Site) DocumentPlace {
	p := s.File.Position(s.Span.Start)
	return DocumentPlace{s.File.Path, p.Line, p.Column, p.Offset}
}

func places(sites []Site) []DocumentPlace {
	var out []DocumentPlace
	for _, s := range sites {
		out = append(out, place(s))
	}
	return out
}
