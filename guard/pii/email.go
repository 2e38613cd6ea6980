package pii

import (
	"slices"
	"strings"

	"github.com/prodailabs/prodai/guard/detect"
)

var (
	localPart  = detect.NewClass("A-Za-z0-9_.+%'-")
	domainPart = detect.NewClass("A-Za-z0-9-")
	letters    = detect.NewClass("A-Za-z")
)

// Limits of RFC 5321, 4.5.3.1.
const (
	maxLocal  = 64
	maxDomain = 255
)

// files are last parts of file names that look like a domain behind an @, as
// in icon@2x.png.
var files = []string{"png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "ts", "html", "json", "md", "go", "py", "txt"}

func emailRule() detect.Rule {
	return detect.Rule{
		Kind: KindEmail, Score: .95, Reason: "mailbox and registrable domain", Threats: threats(),
		Starts: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_",
		Max:    maxLocal + 1 + maxDomain + 2,
		Match:  matchEmail,
	}
}

func matchEmail(text string, at int, atEOF bool) int {
	if at > 0 && localPart[text[at-1]] && behindLocalPart(text, at) {
		return 0
	}
	end := localPart.Run(text, at, maxLocal+1)
	switch {
	case end == len(text) && !atEOF:
		return detect.NeedMore
	case end == len(text) || text[end] != '@' || text[end-1] == '.':
		return 0
	}
	return matchDomain(text, at, end+1, atEOF)
}

// behindLocalPart reports whether the punctuation before at follows a letter or
// digit, so that a local part began earlier.
func behindLocalPart(text string, at int) bool {
	for at--; at > 0 && localPart[text[at]] && !detect.Word[text[at]]; at-- {
	}
	return detect.Word[text[at]]
}

// matchDomain reads labels from text[from] and ends behind the last one that
// can be a top-level domain.
func matchDomain(text string, at, from int, atEOF bool) int {
	end := 0
	for labels := 0; ; labels++ {
		stop := domainPart.Run(text, from, 64)
		if stop == len(text) && !atEOF {
			return detect.NeedMore
		}
		label := text[from:stop]
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' {
			break
		}
		switch {
		case labels > 0 && topLevel(label):
			end = stop
		case end > 0 && isFile(label): // ana@example.org.md is a file named after a mailbox
		default:
			end = 0
		}
		if stop == len(text) || text[stop] != '.' {
			break
		}
		from = stop + 1
	}
	if end == 0 || end < len(text) && text[end] == '_' {
		return 0
	}
	return end - at
}

func topLevel(label string) bool {
	if strings.HasPrefix(label, "xn--") {
		return len(label) > 4
	}
	if len(label) < 2 || letters.Run(label, 0, len(label)) != len(label) {
		return false
	}
	return !isFile(label)
}

func isFile(label string) bool {
	return slices.ContainsFunc(files, func(f string) bool { return strings.EqualFold(f, label) })
}
