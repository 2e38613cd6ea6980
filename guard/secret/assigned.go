package secret

import (
	"strings"

	"github.com/prodailabs/prodai/guard/detect"
)

// maxValue limits an assigned secret, in bytes.
const maxValue = 512

// maxName limits the name of a value in a query, in bytes.
const maxName = 64

var (
	nameBytes = detect.NewClass("A-Za-z0-9_.-")
	bare      = detect.NewClass("A-Za-z0-9_+/=.~!@#$%^*?-")
	alpha     = detect.NewClass("A-Za-z")
)

func assignedRule() detect.Rule {
	return detect.Rule{
		Kind: KindAssigned, Score: .7, Reason: "a value of high entropy after the name of a secret", Threats: threats(),
		Starts: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+/=.~!@#$%^*?-{", Max: maxValue + maxName + 2, Match: matchAssigned,
	}
}

// matchAssigned finds the value of an assignment (name = "value", name: value,
// <name>value</name>, set("name", "value")), of an option (--password value, curl -u
// name:value) and of a sentence (the password is value).
func matchAssigned(text string, at int, atEOF bool) int {
	if at == 0 {
		return 0
	}
	switch text[at-1] {
	case '"', '\'', '`', '=', ':', '>', wideColon[2]:
	case ' ', '\t', '\n':
		if plainWord(text, at) {
			return 0
		}
	default:
		return 0
	}
	l := linkOf(text[:at])
	if l.kind == linkNone {
		return 0
	}
	end := valueEnd(text, at, l, atEOF)
	if end == detect.NeedMore {
		return detect.NeedMore
	}
	if l.quote == 0 {
		end = cutPunctuation(text, at, end, l)
	} else if end == len(text) || text[end] != l.quote {
		return 0 // the quote is not closed
	}
	value := text[at:end]
	if l.escaped {
		value = strings.TrimSuffix(value, `\`)
	}
	if l.kind == linkUser { // a key as the user, without a password: curl -u key:
		key, ok := strings.CutSuffix(text[at:min(len(text), end+1)], ":")
		if l.quote != 0 {
			key, ok = strings.CutSuffix(value, ":")
		}
		if !ok {
			return 0
		}
		value = key
	}
	if !secretValue(value, l) {
		return 0
	}
	return len(value)
}

// plainWord reports whether a short word of letters begins at a place. That is so nearly
// everywhere in a sentence, and saves the expensive questions.
func plainWord(text string, at int) bool {
	end := alpha.Run(text, at, shortestLetters)
	switch {
	case end == len(text) || end-at == shortestLetters:
		return false
	case strings.IndexByte(".,!?:", text[end]) >= 0:
		return end+1 < len(text) && text[end+1] <= ' '
	}
	return !bare[text[end]] && text[end] != '&'
}

// valueEnd returns where a value ends: at the closing quote or, without quotes, at the
// first byte that a value can't contain.
func valueEnd(text string, at int, l link, atEOF bool) int {
	end := at
	for limit := min(len(text), at+maxValue); end < limit; end++ {
		switch b := text[end]; {
		case l.quote != 0:
			if b == l.quote || b <= ' ' {
				return end
			}
		case bare[b]:
		case b == ':':
			if end+1 == len(text) && !atEOF {
				return detect.NeedMore
			}
			if !halves(text, at, end) {
				return end
			}
		case b != '&':
			return end
		default: // a part of a password, or the beginning of the next value of a query
			name := nameBytes.Run(text, end+1, maxName)
			if name == len(text) && !atEOF {
				return detect.NeedMore
			}
			if name == end+1 || name < len(text) && (text[name] == '=' || text[name] == ';') {
				return end // a=1&b=2, or &amp;
			}
		}
	}
	if end == len(text) && end-at < maxValue && !atEOF {
		return detect.NeedMore
	}
	return end
}

// halves reports whether the colon at a place separates two halves of one value, as in
// 1c2d3e4f:5a6b7c8d. In arn:aws:… and in scheme://… no digit is before the colon.
func halves(text string, at, colon int) bool {
	return colon+1 < len(text) && alnum[text[colon+1]] && colon-at >= 8 && strings.ContainsAny(text[at:colon], "0123456789")
}

// cutPunctuation returns where a value without quotes ends, without the punctuation of the
// sentence. Commands and lines such as NAME=value have no punctuation.
func cutPunctuation(text string, at, end int, l link) int {
	keep := l.kind == linkOption || l.kind == linkAssigned && (l.tight || end == len(text) || text[end] == '\n' || text[end] == '\r')
	for end > at && (text[end-1] == '.' || !keep && (text[end-1] == '!' || text[end-1] == '?')) {
		end--
	}
	return end
}
