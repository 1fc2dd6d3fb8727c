package report

import (
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// The sizes of the picture of the worst paths, in its own units.
const (
	pictureWidth = 1080
	nodeHeight   = 34
	nodeGap      = 12
	pictureTop   = 30
	characterAt  = 7.3 // the width of a character, generously
)

// pictureColumns are the places and widths of its columns.
var pictureColumns = [4]struct {
	Label    string
	X, Width float64
}{{"who starts", 1, 200}, {"foreign code", 262, 335}, {"credential", 655, 245}, {"opens", 965, 114}}

// A picture is the worst paths drawn: nodes in four columns and ribbons between them.
type picture struct {
	Width, Height float64
	Labels        []pictureText
	Nodes         []pictureNode
	Ribbons       []ribbon
}

type pictureText struct {
	X    float64
	Text string
}

type pictureNode struct {
	X, Y, Width, Height, TextX, TextY float64
	Text, Title                       string
	Worst                             bool // of the worst grade in the picture
}

type ribbon struct {
	D, Title string
	Width    float64
	Worst    bool
}

// A node is a name in a column, with the paths through it.
type node struct {
	text  string
	paths []int
	y     float64
}

// draw lays the paths out. Nodes stand in the order of the worst path through them,
// moved towards those that they are joined to.
func draw(paths []path) *picture {
	if len(paths) == 0 {
		return nil
	}
	columns := columnsOf(paths)
	tallest := 0
	for c := range columns {
		if c > 0 {
			untangle(columns[c], columns[c-1])
		}
		tallest = max(tallest, len(columns[c]))
	}
	height := float64(tallest*(nodeHeight+nodeGap) - nodeGap)
	p := &picture{Width: pictureWidth, Height: pictureTop + height + 6}
	for c := range columns {
		used := float64(len(columns[c])*(nodeHeight+nodeGap) - nodeGap)
		for i, n := range columns[c] {
			n.y = pictureTop + (height-used)/2 + float64(i*(nodeHeight+nodeGap))
			p.Nodes = append(p.Nodes, nodeAt(c, n, paths))
		}
		p.Labels = append(p.Labels, pictureText{pictureColumns[c].X, pictureColumns[c].Label})
		if c > 0 {
			p.Ribbons = append(p.Ribbons, ribbons(c, columns[c-1], columns[c], paths)...)
		}
	}
	scale(p.Ribbons)
	// The worst lie on top.
	slices.SortStableFunc(p.Ribbons, func(a, b ribbon) int { return order(a.Worst) - order(b.Worst) })
	return p
}

func order(b bool) int {
	if b {
		return 1
	}
	return 0
}

func columnsOf(paths []path) [4][]*node {
	var columns [4][]*node
	for i, p := range paths {
		for c, text := range [4]string{whoText(p.who), p.code, p.credential, opensText(p.opens)} {
			k := slices.IndexFunc(columns[c], func(n *node) bool { return n.text == text })
			if k < 0 {
				k = len(columns[c])
				columns[c] = append(columns[c], &node{text: text})
			}
			columns[c][k].paths = append(columns[c][k].paths, i)
		}
	}
	return columns
}

// untangle orders the nodes of a column by the mean place of those before them.
func untangle(nodes, before []*node) {
	mean := func(n *node) float64 {
		sum, count := 0, 0
		for i, b := range before {
			if joined(n, b) > 0 {
				sum, count = sum+i, count+1
			}
		}
		return float64(sum) / float64(max(count, 1))
	}
	slices.SortStableFunc(nodes, func(a, b *node) int {
		switch d := mean(a) - mean(b); {
		case d < 0:
			return -1
		case d > 0:
			return 1
		}
		return 0
	})
}

// joined counts the paths that go through both.
func joined(a, b *node) int {
	n := 0
	for _, p := range a.paths {
		if slices.Contains(b.paths, p) {
			n++
		}
	}
	return n
}

// scale turns numbers of jobs into widths.
func scale(ribbons []ribbon) {
	most := 1.0
	for _, r := range ribbons {
		most = max(most, r.Width)
	}
	for i := range ribbons {
		ribbons[i].Width = math.Round(10*max(1.5, maxRibbon*ribbons[i].Width/most)) / 10
	}
}

func nodeAt(column int, n *node, paths []path) pictureNode {
	at := pictureColumns[column]
	jobs := 0
	for _, i := range n.paths {
		jobs += paths[i].jobs
	}
	return pictureNode{
		X: at.X, Y: n.y, Width: at.Width, Height: nodeHeight, TextX: at.X + 11, TextY: n.y + nodeHeight/2 + 4.5,
		Text: middle(n.text, int((at.Width-20)/characterAt)), Title: fmt.Sprintf("%s: %s", n.text, count(jobs, "pair")),
		Worst: worstOf(n.paths, paths),
	}
}

// worstOf reports whether one of the paths has the worst grade of all.
func worstOf(some []int, paths []path) bool {
	return slices.ContainsFunc(some, func(i int) bool { return paths[i].grade == paths[0].grade })
}

// maxRibbon is the width of the widest ribbon.
const maxRibbon = 12

// ribbons joins two columns; their widths tell the jobs until they are scaled.
func ribbons(column int, from, to []*node, paths []path) []ribbon {
	x1, x2 := pictureColumns[column-1].X+pictureColumns[column-1].Width, pictureColumns[column].X
	var out []ribbon
	for _, a := range from {
		for _, b := range to {
			var both []int
			jobs := 0
			for _, i := range a.paths {
				if slices.Contains(b.paths, i) {
					both = append(both, i)
					jobs += paths[i].jobs
				}
			}
			if len(both) == 0 {
				continue
			}
			y1, y2, mid := a.y+nodeHeight/2, b.y+nodeHeight/2, (x1+x2)/2
			out = append(out, ribbon{
				D:     fmt.Sprintf("M%g %gC%g %g %g %g %g %g", x1, y1, mid, y1, mid, y2, x2, y2),
				Width: float64(jobs),
				Title: fmt.Sprintf("%s → %s: %s", a.text, b.text, count(jobs, "pair")), Worst: worstOf(both, paths),
			})
		}
	}
	return out
}

// middle shortens a text to n characters and leaves its end, where versions stand.
func middle(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)
	tail := n / 3
	return string(r[:n-tail-1]) + "…" + string(r[len(r)-tail:])
}
