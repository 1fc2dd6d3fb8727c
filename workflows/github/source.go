package github

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/stint-dev/stint/workflows"
)

// Source returns a source of repositories read over the API. An input is owner/repo, or
// an organization, which stands for all its repositories that are not archived.
func (r *Reader) Source(inputs ...string) workflows.Source { return &source{r, inputs} }

type source struct {
	r      *Reader
	inputs []string
}

// Repositories implements [workflows.Source].
func (s *source) Repositories(ctx context.Context) iter.Seq2[*workflows.Repository, error] {
	return func(yield func(*workflows.Repository, error) bool) {
		for _, input := range s.inputs {
			for repo, err := range s.read(ctx, input) {
				if ctx.Err() != nil {
					yield(nil, ctx.Err())
					return
				}
				if err == nil && repo.Failed != "" {
					err = fmt.Errorf("%s", repo.Failed)
				}
				var parsed *workflows.Repository
				if err != nil {
					err = &workflows.OpenError{Path: rootOf(input), Reason: workflows.Printable(err.Error()),
						Hint: "give an organization or owner/repo that the token may read"}
				} else {
					parsed = repo.Parse()
				}
				if !yield(parsed, err) {
					return
				}
			}
		}
	}
}

// read reads what one input names.
func (s *source) read(ctx context.Context, input string) iter.Seq2[Repo, error] {
	return func(yield func(Repo, error) bool) {
		if strings.Contains(input, "/") {
			yield(s.r.Repository(ctx, input))
			return
		}
		for page, err := range s.r.Pages(ctx, input, PageOptions{Text: true}) {
			if err != nil {
				yield(Repo{}, err)
				return
			}
			for _, repo := range page.Repos {
				if !yield(repo, nil) {
					return
				}
			}
		}
	}
}

func rootOf(name string) string { return "github:" + name }

// Parse parses the files of a repository. What could not be had is Unread; stint's own
// configuration is no file of a [workflows.Repository] and stays in Files.
func (repo Repo) Parse() *workflows.Repository {
	out := &workflows.Repository{Root: rootOf(repo.Name), Name: repo.Name}
	miss := func(path, reason string) {
		out.Unread = append(out.Unread, workflows.Unread{Path: path, Reason: reason})
	}
	denied := map[string]bool{}
	for _, line := range repo.Denied {
		path, reason, is := strings.Cut(line, ": ")
		if !is {
			path, reason = ".", line
		}
		denied[path] = true
		miss(path, reason)
	}
	for _, f := range repo.Files {
		switch {
		case f.Path == configPath || denied[f.Path]:
		case f.Mode == modeLink:
			miss(f.Path, "a link, which is not followed over the API")
		case f.Mode == modeSubmodule:
			miss(f.Path, "a submodule, which is not followed")
		case f.Size > workflows.MaxFileBytes:
			miss(f.Path, fmt.Sprintf("larger than %d bytes, the most that is read", workflows.MaxFileBytes))
		case f.Text == nil:
			miss(f.Path, "its text was not read")
		default:
			out.Files = append(out.Files, workflows.Parse(f.Path, f.Text))
		}
	}
	slices.SortFunc(out.Files, func(a, b *workflows.File) int { return strings.Compare(a.Path, b.Path) })
	slices.SortStableFunc(out.Unread, func(a, b workflows.Unread) int { return strings.Compare(a.Path, b.Path) })
	return out
}
