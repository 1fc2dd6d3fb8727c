package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stint-dev/stint/org"
)

// The sizes of the trend's picture, and how many runs it shows at most.
const (
	trendWidth, trendHeight = 300, 64
	maxTrend                = 60
)

// A trendPicture is the number that matters over the runs, as a line above zero.
type trendPicture struct {
	Width, Height, X, Y float64 // the last point is at X, Y
	Line, Area          string
	From, To            string // the first and last day
	Title               string
}

func drawTrend(all []org.Trend) *trendPicture {
	all = all[max(0, len(all)-maxTrend):]
	if len(all) < 2 {
		return nil
	}
	most := 1
	for _, t := range all {
		most = max(most, t.Pairs)
	}
	p := &trendPicture{Width: trendWidth, Height: trendHeight, From: dayText(all[0].At), To: dayText(all[len(all)-1].At)}
	var points []string
	for i, t := range all {
		p.X = 2 + float64(i)*(trendWidth-8)/float64(len(all)-1)
		p.Y = trendHeight - 2 - float64(max(0, t.Pairs))*(trendHeight-10)/float64(most)
		points = append(points, fmt.Sprintf("%.1f %.1f", p.X, p.Y))
	}
	p.Line = "M" + strings.Join(points, "L")
	p.Area = fmt.Sprintf("%sL%.1f %dL2 %dZ", p.Line, p.X, trendHeight-2, trendHeight-2)
	p.Title = fmt.Sprintf("%s on %s, %s on %s; %s", count(all[0].Pairs, "pair"), p.From, count(all[len(all)-1].Pairs, "pair"), p.To, count(len(all), "run"))
	return p
}

// changeOf says how the number moved since the run before.
func changeOf(d *org.Document) string {
	if len(d.Trend) < 2 {
		return ""
	}
	before, now := d.Trend[len(d.Trend)-2], d.Trend[len(d.Trend)-1]
	since := " since " + dayText(before.At)
	switch by := now.Pairs - before.Pairs; {
	case by > 0:
		return thousands(by) + " more" + since
	case by < 0:
		return thousands(-by) + " fewer" + since
	}
	return "unchanged" + since
}

func lineText(path string, line int) string {
	if line <= 0 {
		return path
	}
	return path + ":" + strconv.Itoa(line)
}

func timeOf(day int) time.Time {
	if day <= 0 {
		return time.Time{}
	}
	return time.Unix(int64(day)*24*60*60, 0).UTC()
}
