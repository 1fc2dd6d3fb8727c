package github

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
)

// Limits of asking for what a listing left out.
const (
	// maxAliases is how many objects one query names.
	maxAliases = 400
	// heldPages and heldBytes bound what waits for such a query.
	heldPages = 16
	heldBytes = 24 << 20
	// maxRounds is how deep local actions that use local actions are followed.
	maxRounds = 8
	// maxLocalActions is how many local actions outside .github/actions are followed in
	// one repository.
	maxLocalActions = 200
	// maxFiles is how many files of one repository are read, when more than those of a
	// listing are found.
	maxFiles = 2000
)

// A want is a file, or an action's directory, of which a repository's text is wanted.
type want struct {
	repo *Repo
	path string
	// dir is set for a directory that may hold an action; else the file is in
	// repo.Files.
	dir bool
	// deep is set for a directory in whose directories actions are looked for.
	deep bool
}

// aliases is how many objects a want takes in a query.
func (w want) aliases() int {
	if w.dir {
		return 3
	}
	return 1
}

// filled yields pages with the texts that their listing left out.
func (r *Reader) filled(ctx context.Context, pages iter.Seq2[Page, error]) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		var held []Page
		pending, size := 0, 0
		flush := func() bool {
			if err := r.fill(ctx, held); err != nil {
				yield(Page{}, err)
				return false
			}
			for i, p := range held {
				held[i] = Page{}
				if !yield(p, nil) {
					return false
				}
			}
			held, pending, size = held[:0], 0, 0
			return true
		}
		for page, err := range pages {
			if err != nil {
				if flush() {
					yield(Page{}, err)
				}
				return
			}
			held = append(held, page)
			for i := range page.Repos {
				pending += len(missing(&page.Repos[i])) + 3*len(elsewhere(&page.Repos[i], nil)) + len(page.Repos[i].below)
				size += page.Repos[i].bytes()
			}
			if pending > 0 && pending < maxAliases && len(held) < heldPages && size < heldBytes {
				continue
			}
			if !flush() {
				return
			}
		}
		flush()
	}
}

func (repo *Repo) bytes() int {
	n := 0
	for _, f := range repo.Files {
		n += len(f.Text)
	}
	return n
}

// fill completes the repositories of pages. A file that cannot be had is said in
// its repository; only the end of ctx and of the host's patience are errors.
func (r *Reader) fill(ctx context.Context, pages []Page) error {
	var repos []*Repo
	for p := range pages {
		for i := range pages[p].Repos {
			repos = append(repos, &pages[p].Repos[i])
		}
	}
	return r.complete(ctx, repos)
}

// complete asks for missing texts, then for the local actions that the texts name, until
// nothing new is named.
func (r *Reader) complete(ctx context.Context, repos []*Repo) error {
	asked := map[*Repo]map[string]bool{}
	for range maxRounds {
		var wants []want
		for _, repo := range repos {
			if asked[repo] == nil {
				asked[repo] = map[string]bool{}
			}
			for _, p := range missing(repo) {
				if !asked[repo][p] {
					wants = append(wants, want{repo: repo, path: p})
					asked[repo][p] = true
				}
			}
			if len(repo.below) > 0 && repo.Head != "" { // they may hold what is used elsewhere
				for _, dir := range repo.below {
					wants = append(wants, want{repo: repo, path: dir, deep: true})
				}
				repo.below = nil
				continue
			}
			for _, dir := range elsewhere(repo, asked[repo]) {
				wants = append(wants, want{repo: repo, path: dir, dir: true})
				asked[repo][dir] = true
			}
		}
		if len(wants) == 0 {
			break
		}
		if err := r.fetch(ctx, wants); err != nil {
			return err
		}
	}
	for _, repo := range repos {
		slices.SortFunc(repo.Files, func(a, b Blob) int { return strings.Compare(a.Path, b.Path) })
	}
	return nil
}

// missing lists the files of a repository that have no text and could have one.
func missing(repo *Repo) []string {
	var paths []string
	if repo.Failed != "" {
		return nil
	}
	for _, f := range repo.Files {
		if f.Text == nil && !isLinked(f.Mode) && f.Size <= workflows.MaxFileBytes {
			paths = append(paths, f.Path)
		}
	}
	return paths
}

// localUses lists what follows uses: and begins with ./, .\ or $/, also where it is no key
// of a step: to ask for a directory that is not there costs nothing.
func localUses(text []byte) []string {
	var found []string
	for {
		_, rest, is := bytes.Cut(text, []byte("uses"))
		if !is {
			return found
		}
		text = rest
		rest = bytes.TrimLeft(bytes.TrimLeft(rest, `"'`), " \t")
		if len(rest) == 0 || rest[0] != ':' {
			continue
		}
		rest = bytes.TrimLeft(rest[1:], "\"' \t")
		if len(rest) < 3 || rest[1] != '/' && rest[1] != '\\' || rest[0] != '.' && rest[0] != '$' {
			continue
		}
		end := bytes.IndexAny(rest, "\"' \t\r\n#,}]")
		if end < 0 {
			end = len(rest)
		}
		found = append(found, string(rest[:end]))
	}
}

// elsewhere lists the directories that the files of a repository use as actions and whose
// files are not known, those in asked excepted. A link to a directory is not followed.
func elsewhere(repo *Repo, asked map[string]bool) []string {
	if repo.Head == "" {
		return nil
	}
	have := map[string]bool{}
	for _, f := range repo.Files {
		have[path.Dir(f.Path)], have[f.Path] = true, true
	}
	var dirs []string
	for _, f := range repo.Files {
		for _, text := range localUses(f.Text) {
			u := workflows.ParseUses(text)
			if u.Kind != workflows.UsesLocal && u.Kind != workflows.UsesSelf || u.Workflow || u.Path == "" || have[u.Path] || asked[u.Path] || strings.ContainsAny(u.Path, ":\x00") {
				continue
			}
			if have[u.Path] = true; len(dirs) < maxLocalActions {
				dirs = append(dirs, u.Path)
			}
		}
	}
	return dirs
}

// fetch asks for wants in queries as large as the host can bear.
func (r *Reader) fetch(ctx context.Context, wants []want) error {
	most := maxAliases
	for len(wants) > 0 {
		n, aliases := 0, 0
		for n < len(wants) && (n == 0 || aliases+wants[n].aliases() <= most) {
			aliases += wants[n].aliases()
			n++
		}
		err := r.fetchBatch(ctx, wants[:n])
		switch {
		case errors.Is(err, errTooMuch) && n > 1:
			most = max(aliases/2, 1)
			r.log("%s; going on with %d files at a time", err, most)
			continue
		case errors.Is(err, errTooMuch):
			if w := wants[0]; w.deep {
				w.repo.Denied = append(w.repo.Denied, w.path+": the host does not answer for this directory")
			} else {
				w.repo.Failed = w.path + ": the host does not answer for this file"
			}
		case err != nil:
			return err
		}
		wants = wants[n:]
	}
	return nil
}

// fetchBatch asks one query for all wants, those of one repository under one node.
func (r *Reader) fetchBatch(ctx context.Context, wants []want) error {
	q := &batch{}
	for _, w := range wants {
		q.add(w)
	}
	var data batchReply[objectReply]
	failed, err := r.query(ctx, q.text(), q.values, &data)
	if err != nil {
		return err
	}
	r.charge(data.cost)
	denied := map[string]string{}
	for _, e := range failed {
		denied[e.at(0)+"."+e.at(1)] = e.reason()
	}
	for i, w := range wants {
		node := q.nodeOf[i]
		got := func(kind string) *objectReply { return data.nodes[node][fmt.Sprintf("%s%d", kind, i)] }
		why := ""
		for _, key := range []string{node + ".", fmt.Sprintf("%s.f%d", node, i), fmt.Sprintf("%s.t%d", node, i)} {
			why = max(why, denied[key])
		}
		switch {
		case why != "":
			w.repo.Denied = append(w.repo.Denied, w.path+": "+why)
		case data.nodes[node] == nil:
			w.repo.Denied = append(w.repo.Denied, w.path+": the repository has gone")
		case w.deep:
			w.repo.lookBelow(w.path, got("t"))
		case w.dir:
			err = r.putAction(ctx, w, got("t"), got("f"), got("g"))
		default:
			err = r.putText(ctx, w, got("f"))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// putText puts a text where its file is; one that is not whole is asked for singly.
func (r *Reader) putText(ctx context.Context, w want, got *objectReply) error {
	i := slices.IndexFunc(w.repo.Files, func(f Blob) bool { return f.Path == w.path })
	f := &w.repo.Files[i]
	if f.Text = got.whole(f.OID); f.Text != nil {
		return nil
	}
	text, err := r.Blob(ctx, w.repo.Name, f.OID)
	switch {
	case err == nil:
		f.Text = text
	case ctx.Err() != nil:
		return ctx.Err()
	default:
		w.repo.Denied = append(w.repo.Denied, w.path+": "+err.Error())
	}
	return nil
}

var tooManyFiles = fmt.Sprintf("repository: more than %d files, the most that are read", maxFiles)

// lookBelow adds the action files in a directory and in those below it, without their text.
func (repo *Repo) lookBelow(dir string, tree *objectReply) {
	for _, e := range tree.entries() {
		path := join(dir, e.Name)
		switch {
		case e.Mode == modeTree && isEntryName(e.Name):
			repo.lookBelow(path, e.Object)
		case workflows.KindOf(path) != workflows.KindAction:
		case len(repo.Files) < maxFiles:
			repo.take(dir, e, nil, false)
		case !slices.Contains(repo.Denied, tooManyFiles):
			repo.Denied = append(repo.Denied, tooManyFiles)
		}
	}
}

// putAction adds the action files of a directory. What is no directory is recorded, a
// directory that is not there is nothing.
func (r *Reader) putAction(ctx context.Context, w want, tree, yml, yaml *objectReply) error {
	if tree == nil {
		return nil
	}
	if tree.IsBinary != nil { // a file, or a link: its text says where to
		if commitID.MatchString(tree.OID) {
			w.repo.Files = append(w.repo.Files, Blob{Path: w.path, OID: tree.OID, Size: tree.ByteSize, Mode: modeLink})
		}
		return nil
	}
	texts := map[string]*objectReply{"action.yml": yml, "action.yaml": yaml}
	for _, e := range tree.Entries {
		text, is := texts[e.Name]
		if !is || e.Mode == modeTree || !commitID.MatchString(e.OID) {
			continue
		}
		w.repo.Files = append(w.repo.Files, Blob{Path: w.path + "/" + e.Name, OID: e.OID, Size: e.Size, Mode: e.Mode})
		if isLinked(e.Mode) || e.Size > workflows.MaxFileBytes {
			continue
		}
		if err := r.putText(ctx, want{repo: w.repo, path: w.path + "/" + e.Name}, text); err != nil {
			return err
		}
	}
	return nil
}
