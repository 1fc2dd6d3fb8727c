package workflows

import (
	"regexp"
	"slices"
	"strings"
)

// versionComment is the version at the start of the comment behind a pinned
// action, in the forms that tools write: v4, 4.2.1, tag=v4, pin@v4, action-v2. A
// bare number is one only when it is the whole comment.
var versionComment = regexp.MustCompile(
	`^(?:tag=|pin@|@)?(?:[A-Za-z][A-Za-z0-9._-]*[-_/])?(?:[vV][0-9]+(?:\.[0-9]+)*|[0-9]+(?:\.[0-9]+)+)(?:[-.+][0-9A-Za-z.+-]+)?(?:\s|,|;|$)|^[0-9]+$`)

// SetRef returns the edits that put another ref into a uses:, with the version it
// stands for in the comment behind it: "owner/repo@<ref> # <version>". A version
// that starts the comment is replaced and its other text stays. Where no comment
// can follow, as in brackets, only the ref changes; an empty version leaves the
// comment alone.
func (f *File) SetRef(u *Uses, ref, version string) (edits []Edit, ok bool) {
	if u.RefSpan.IsZero() || f.Text(u.RefSpan) != u.Ref || strings.ContainsAny(ref+version, " \t\r\n#'\"\\") || ref == "" {
		return nil, false
	}
	if ref != u.Ref {
		edits = append(edits, Edit{u.RefSpan, ref})
	}
	if version == "" || u.Style == Literal || u.Style == Folded {
		return edits, true
	}
	if edit, ok := f.versionEdit(u, version); ok && f.Text(edit.Span) != edit.New {
		edits = append(edits, edit)
	}
	return edits, true
}

func (f *File) versionEdit(u *Uses, version string) (Edit, bool) {
	end := u.Span.End
	if u.Comment == nil {
		return Edit{Span{end, end}, " # " + version}, f.endsLine(end)
	}
	text := f.Text(u.Comment.Span)
	start := u.Comment.Span.Start + strings.Index(text, u.Comment.Text)
	if u.Comment.Text == "" {
		return Edit{u.Comment.Span, "# " + version}, true
	}
	old := commentVersion(u.Comment.Text)
	if old == "" {
		return Edit{Span{start, start}, version + " "}, true
	}
	return Edit{Span{start, start + len(old)}, version}, true
}

func commentVersion(comment string) string {
	return strings.TrimRight(versionComment.FindString(comment), " \t,;")
}

// CommentVersion returns the version that starts the comment behind a uses:, as it is
// written there but for the words that tools put before it (tag=, pin@), "" for none.
func (u *Uses) CommentVersion() string {
	if u.Comment == nil {
		return ""
	}
	version := commentVersion(u.Comment.Text)
	for _, word := range []string{"tag=", "pin@", "@"} {
		if rest, ok := strings.CutPrefix(version, word); ok {
			return rest
		}
	}
	return version
}

// NameSecrets returns the edits that replace a job's secrets: inherit by the
// named secrets, passed on under their own names; with no names the key goes.
func (f *File) NameSecrets(j *Job, names []string) (edits []Edit, ok bool) {
	inherit := j.InheritSecrets
	if inherit == nil || !j.Span.Contains(inherit.Span) {
		return nil, false
	}
	key, colon, ok := f.keyBefore(inherit.Span.Start, "secrets")
	if !ok {
		return nil, false
	}
	e := yamlEntry{key: "secrets"}
	for _, name := range slices.Sorted(slices.Values(names)) {
		e.entries = append(e.entries, yamlEntry{key: name, text: "${{ secrets." + name + " }}"})
	}
	indent, block := f.indentOf(key)
	switch {
	case !block:
		return []Edit{{inherit.Span, flowMap(e.entries)}}, true
	case len(names) == 0:
		return one(f.removeLines(Span{key, inherit.Span.End}))
	case !f.endsLine(inherit.Span.End):
		return nil, false
	}
	text := f.block(e, indent)
	return []Edit{{Span{colon, inherit.Span.End}, text[len(e.key)+len(":"):]}}, true
}

// keyBefore finds the key whose value starts at an offset on the same line.
func (f *File) keyBefore(value int, name string) (key, colon int, ok bool) {
	line := f.lineStart(value)
	before := strings.TrimRight(string(f.Source[line:value]), " \t")
	if !strings.HasSuffix(before, name+":") {
		return 0, 0, false
	}
	colon = line + len(before)
	return colon - len(name) - len(":"), colon, true
}
