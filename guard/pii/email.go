package pii

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

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

// files are extensions of file names. In icon@2x.png the part after the @ looks like a
// domain and is not one.
var files = []string{"png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "ts", "html", "json", "md", "go", "py", "txt"}

func emailRule() detect.Rule {
	return detect.Rule{
		Kind: KindEmail, Score: .95, Reason: "mailbox and registrable domain", Threats: threats(),
		Starts: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_" + alphabetBytes,
		Max:    maxLocal + 1 + maxDomain + 2,
		Match:  matchEmail,
	}
}

// alphabetBytes are the first bytes, in UTF-8, of the letters for which isAlphabet is
// true.
const alphabetBytes = "\xc3\xc4\xc5\xc6\xc7\xc8\xc9\xca\xcd\xce\xcf\xd0\xd1\xd2\xd3\xd4\xe1"

// isAlphabet reports whether r is a letter of an alphabet that separates words by blanks.
// RFC 6531 admits letters of every script in a mailbox. In a script without blanks the
// words before a mailbox would become a part of it, so those letters do not count.
func isAlphabet(r rune) bool {
	return r >= 0xC0 && unicode.In(r, unicode.Latin, unicode.Greek, unicode.Cyrillic)
}

// run returns the end of the run of bytes of a class, letters of other alphabets and
// invisible characters that begins at a place, after at most limit bytes.
func run(c *detect.Class, text string, at, limit int) int {
	end := c.Run(text, at, limit)
	for end < len(text) && end < at+limit && text[end] >= utf8.RuneSelf {
		r, size := utf8.DecodeRuneInString(text[end:])
		if !isAlphabet(r) && !isInvisible(r) {
			break
		}
		end = c.Run(text, end+size, max(0, at+limit-end-size))
	}
	return end
}

func matchEmail(text string, at int, atEOF bool) int {
	if at > 0 && inLocalPart(text, at) {
		return 0
	}
	if text[at] >= utf8.RuneSelf {
		if r, _ := utf8.DecodeRuneInString(text[at:]); !isAlphabet(r) {
			return 0
		}
	}
	end := run(localPart, text, at, maxLocal+1)
	switch {
	case end == len(text) && !atEOF:
		return detect.NeedMore
	case end == len(text) || text[end] != '@' || text[end-1] == '.':
		return 0
	}
	n := matchDomain(text, at, end+1, atEOF)
	if n > 0 && slices.Contains(services, text[at:end]) {
		switch next := at + n; {
		case next+1 >= len(text) && !atEOF:
			return detect.NeedMore
		case next+1 < len(text) && (text[next] == ':' || text[next] == '/') && text[next+1] > ' ':
			return 0 // git@github.com:owner/repository
		}
	}
	return n
}

// services are accounts that programs use. Before a path such a name is not a mailbox.
var services = []string{"git", "hg", "svn", "gitea", "gitlab", "gogs", "forgejo"}

// inLocalPart reports whether a local part began before at. It did if the characters
// before at can be in a local part and one of them is a letter or a digit.
func inLocalPart(text string, at int) bool {
	if b := text[at-1]; b < utf8.RuneSelf && !localPart[b] {
		return false
	}
	for at > 0 {
		r, size := utf8.DecodeLastRuneInString(text[:at])
		switch {
		case r < utf8.RuneSelf && detect.Word[byte(r)] || isAlphabet(r):
			return true
		case r < utf8.RuneSelf && localPart[byte(r)] || isInvisible(r):
			at -= size
		default:
			return false
		}
	}
	return false
}

// matchDomain reads labels from text[from] and ends after the last one that
// can be a top-level domain.
func matchDomain(text string, at, from int, atEOF bool) int {
	end := 0
	for labels := 0; ; labels++ {
		stop := run(domainPart, text, from, 64)
		if stop == len(text) && !atEOF {
			return detect.NeedMore
		}
		label := strings.TrimRightFunc(text[from:stop], isInvisible)
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' {
			break
		}
		switch {
		case labels > 0 && topLevel(label):
			end = from + len(label)
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
	label = strings.Map(func(r rune) rune {
		if isInvisible(r) {
			return -1
		}
		return r
	}, label)
	if len(label) < 2 || run(letters, label, 0, len(label)) != len(label) {
		return false
	}
	return !isFile(label)
}

func isFile(label string) bool {
	return slices.ContainsFunc(files, func(f string) bool { return strings.EqualFold(f, label) })
}
