package workflows

import (
	"context"
	"errors"
	"testing"
)

// numbered yields n repositories, an error in place of the third.
type numbered int

func (n numbered) Repositories(context.Context) Repositories {
	return func(yield func(*Repository, error) bool) {
		for i := range int(n) {
			repo, err := &Repository{Root: string(rune('a' + i))}, error(nil)
			if i == 2 {
				repo, err = nil, errors.New("no")
			}
			if !yield(repo, err) {
				return
			}
		}
	}
}

func TestReadAheadKeepsTheOrder(t *testing.T) {
	got := ""
	for repo, err := range ReadAhead(context.Background(), numbered(5)) {
		if err != nil {
			got += "!"
			continue
		}
		got += repo.Root
	}
	if got != "ab!de" {
		t.Errorf("got %q", got)
	}
}

func TestReadAheadEndsWithTheIteration(t *testing.T) {
	for repo, err := range ReadAhead(context.Background(), numbered(20)) {
		if err != nil || repo.Root != "a" {
			t.Errorf("%v %v", repo, err)
		}
		break // the reader behind it ends too: -race and the test's end show a leak
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	n := 0
	for range ReadAhead(ctx, numbered(20)) {
		n++
	}
	if n > 1 {
		t.Errorf("%d repositories after the context's end", n)
	}
}
