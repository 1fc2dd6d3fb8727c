// Command refresh brings bad.json, the data about bad versions of actions, up to date.
//
//	gh api --paginate '/advisories?ecosystem=actions&per_page=100' > advisories.json
//	go run ./workflows/platform/refresh -data workflows/platform/bad.json advisories.json
//
// It reads lists of GitHub's advisories as its REST API gives them and adds what is
// new: an advisory that is there already gets its ranges and its fixed version
// anew and keeps its words. It removes nothing: an entry about a malicious version does not
// expire, also when its repository is gone, and those that are found by hand are written into
// bad.json by hand. Withdrawn advisories are passed over. Without an argument it
// only sorts and checks the file, and go generate does that.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:], time.Now()); err != nil {
		fmt.Fprintf(os.Stderr, "refresh: error: %v\n", err)
		os.Exit(1)
	}
}

// maxInputBytes bounds what is read of one file.
const maxInputBytes = 64 << 20

func run(args []string, now time.Time) error {
	flags := flag.NewFlagSet("refresh", flag.ContinueOnError)
	path := flags.String("data", "bad.json", "the file to bring up to date")
	if err := flags.Parse(args); err != nil {
		return err
	}
	data, err := readData(*path)
	if err != nil {
		return err
	}
	for _, name := range flags.Args() {
		list, err := readAdvisories(name)
		if err != nil {
			return err
		}
		data.merge(list)
		data.Generated = now.UTC().Format(time.DateOnly)
	}
	return data.write(*path)
}

// A file is bad.json; its schema is documented in package platform.
type file struct {
	Version   int               `json:"version"`
	Generated string            `json:"generated"`
	Actions   []entry           `json:"actions"`
	Images    []json.RawMessage `json:"images"`
}

// An entry is one advisory about one action, fields in the order of the file.
type entry struct {
	Action  string   `json:"action"`
	Kind    string   `json:"kind"`
	ID      string   `json:"id,omitempty"`
	Summary string   `json:"summary"`
	Ranges  []string `json:"ranges,omitempty"`
	Refs    []string `json:"refs,omitempty"`
	All     string   `json:"all,omitempty"`
	Commits []string `json:"commits,omitempty"`
	Partial bool     `json:"partial,omitempty"`
	Clean   []string `json:"clean,omitempty"`
	State   string   `json:"state,omitempty"`
	Fixed   string   `json:"fixed,omitempty"`
	Date    string   `json:"date"`
	Source  string   `json:"source"`
}

// An advisory is what is used of an advisory of the REST API.
type advisory struct {
	ID              string  `json:"ghsa_id"`
	URL             string  `json:"html_url"`
	Published       string  `json:"published_at"`
	Withdrawn       *string `json:"withdrawn_at"`
	Vulnerabilities []struct {
		Package struct {
			Ecosystem string `json:"ecosystem"`
			Name      string `json:"name"`
		} `json:"package"`
		Range string `json:"vulnerable_version_range"`
		Fixed string `json:"first_patched_version"`
	} `json:"vulnerabilities"`
}

func readData(path string) (*file, error) {
	text, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	data := new(file)
	if err := decoder.Decode(data); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if data.Version != 1 {
		return nil, fmt.Errorf("%s: version %d is not 1", path, data.Version)
	}
	return data, nil
}

// readAdvisories reads one list, or several in a row as gh api --paginate writes them.
func readAdvisories(path string) ([]advisory, error) {
	text, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	var all []advisory
	decoder := json.NewDecoder(bytes.NewReader(text))
	for {
		var page []advisory
		switch err := decoder.Decode(&page); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, page...)
	}
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxInputBytes+1))
	if err == nil && len(text) > maxInputBytes {
		err = fmt.Errorf("%s: larger than %d bytes", path, maxInputBytes)
	}
	return text, err
}

// merge adds and renews the vulnerable versions of the advisories, one entry for
// each action and advisory.
func (d *file) merge(list []advisory) {
	for _, a := range list {
		if a.Withdrawn != nil {
			continue
		}
		for name, found := range a.entries() {
			i := slices.IndexFunc(d.Actions, func(e entry) bool { return e.Action == name && e.ID == a.ID })
			switch {
			case i < 0:
				d.Actions = append(d.Actions, found)
			case d.Actions[i].Kind == "vulnerable":
				d.Actions[i].Ranges, d.Actions[i].Fixed = found.Ranges, found.Fixed
			}
		}
	}
}

// entries returns what the advisory says of each action, by name.
func (a advisory) entries() map[string]entry {
	found := map[string]entry{}
	for _, v := range a.Vulnerabilities {
		name := strings.ToLower(v.Package.Name)
		if !strings.EqualFold(v.Package.Ecosystem, "actions") || !strings.Contains(name, "/") {
			continue
		}
		e, ok := found[name]
		if !ok {
			date, _, _ := strings.Cut(a.Published, "T")
			e = entry{Action: name, Kind: "vulnerable", ID: a.ID, Summary: "has a published advisory", Date: date, Source: a.URL}
		}
		e.Ranges = append(e.Ranges, strings.ReplaceAll(v.Range, " ", ""))
		e.Fixed = v.Fixed
		found[name] = e
	}
	return found
}

// write sorts the file and writes it in one piece.
func (d *file) write(path string) error {
	slices.SortStableFunc(d.Actions, func(a, b entry) int {
		return strings.Compare(a.Action+" "+a.Date+" "+a.ID, b.Action+" "+b.Date+" "+b.ID)
	})
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(d); err != nil {
		return err
	}
	temporary := path + ".new"
	if err := os.WriteFile(temporary, out.Bytes(), 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}
