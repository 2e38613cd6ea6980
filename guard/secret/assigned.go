package secret

import (
	"math"
	"strings"

	"github.com/prodailabs/prodai/guard/detect"
)

// maxValue bounds an assigned secret in bytes.
const maxValue = 512

// names are the words that a secret's name ends with, once its underscores,
// hyphens and dots are dropped.
var names = []string{"password", "passwd", "pwd", "passphrase", "secret", "secretkey", "token", "apikey", "accesskey", "accountkey", "authkey", "privatekey", "signingkey", "encryptionkey", "clientsecret", "credential", "credentials", "sharedkey", "sharedaccesskey", "masterkey"}

var (
	nameBytes = detect.NewClass("A-Za-z0-9_.-")
	bare      = detect.NewClass("A-Za-z0-9_+/=.~!@#$%^*?-")
)

func assignedRule() detect.Rule {
	return detect.Rule{
		Kind: KindAssigned, Score: .7, Reason: "a value of high entropy behind a secret's name", Threats: threats(),
		Inside: true, Starts: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+/=.~!@#$%^*?-", Max: maxValue + maxName + 2, Match: matchAssigned,
	}
}

// matchAssigned takes the value of name = "value", name: value and the like, and of
// the options of a command: --password value, curl -u name:value.
func matchAssigned(text string, at int, atEOF bool) int {
	if at == 0 {
		return 0
	}
	switch text[at-1] {
	case '"', '\'', '`', '=', ':', ' ', '>':
	default:
		return 0
	}
	option := isOption(text[:at])
	if !option && !named(text[:at]) {
		return 0
	}
	quoted := quote(text[at-1])
	end := valueEnd(text, at, atEOF)
	if end == detect.NeedMore {
		return detect.NeedMore
	}
	for end > at && !quoted && (strings.IndexByte(".,", text[end-1]) >= 0 || !option && strings.IndexByte("!?", text[end-1]) >= 0) {
		end-- // punctuation of the sentence; a command has none
	}
	value := text[at:end]
	if quoted && (end == len(text) || text[end] != text[at-1]) || !random(value) || placeholder(value) || codeLike(value, quoted) {
		return 0
	}
	return end - at
}

// valueEnd returns where a value ends: in quotes at the quote, else at the first byte that
// none has. An & may be a part of a password, or begin the next value of a query.
func valueEnd(text string, at int, atEOF bool) int {
	end := at
	for limit := min(len(text), at+maxValue); end < limit; end++ {
		switch b := text[end]; {
		case quote(text[at-1]):
			if b == text[at-1] || b <= ' ' {
				return end
			}
		case bare[b]:
		case b != '&':
			return end
		default:
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

// maxName bounds a name in a query, in bytes.
const maxName = 64

// isOption reports whether before ends with an option of a command that takes a secret:
// "--password ", "-token ", "-u name:", "sshpass -p ".
func isOption(before string) bool {
	s := strings.TrimRight(before, "\"'`")
	if user, ok := strings.CutSuffix(s, ":"); ok {
		from := len(user)
		for from > 0 && (nameBytes[user[from-1]] || user[from-1] == '@') {
			from--
		}
		option := strings.TrimRight(strings.TrimRight(user[:from], "\"'"), " =")
		return from < len(user) && (strings.HasSuffix(option, " -u") || strings.HasSuffix(option, " --user"))
	}
	option := strings.TrimRight(s, " ")
	if option == s || len(s)-len(option) > 2 {
		return false
	}
	from := len(option)
	for from > 0 && nameBytes[option[from-1]] {
		from--
	}
	name := option[from:]
	line := option[strings.LastIndexByte(option, '\n')+1:]
	switch {
	case from > 0 && option[from-1] > ' ':
		return false
	case name == "-p":
		return strings.Contains(line, "sshpass ") || strings.Contains(line, "docker login ")
	case name == "-a":
		return strings.Contains(line, "redis-cli ")
	case name == "password": // of .netrc: machine HOST login NAME password VALUE
		words := strings.Fields(line)
		return len(words) > 2 && words[len(words)-3] == "login"
	}
	return strings.HasPrefix(name, "-") && secretName(strings.TrimLeft(name, "-"))
}

// codeLike reports whether a value is an identifier, a
// selector or a call rather than a secret: net.Conn2, testP256PrivateKey.
func codeLike(value string, quoted bool) bool {
	if strings.ContainsAny(value, "0123456789") {
		bareName := !quoted && !digitFirst(value) && (strings.ContainsRune(value, '.') || named(value+"="))
		return bareName || strings.HasPrefix(value, "0x") || strings.HasPrefix(value, "-")
	}
	return !quoted || !strings.ContainsAny(value, "+/=~!@#$%^*?")
}

func digitFirst(s string) bool { return s[0] >= '0' && s[0] <= '9' }

func quote(b byte) bool { return b == '"' || b == '\'' || b == '`' }

// named reports whether before ends with a secret's name and an assignment.
func named(before string) bool {
	s := strings.TrimRight(before, "\"'`")
	if len(before)-len(s) > 1 {
		return false
	}
	s = strings.TrimRight(s, " ")
	t := strings.TrimRight(s, "=:>")
	if len(s)-len(t) == 0 || len(s)-len(t) > 2 {
		return false
	}
	t = strings.TrimRight(t, " \"'`]")
	from := len(t)
	for from > 0 && nameBytes[t[from-1]] {
		from--
	}
	return secretName(t[from:])
}

// secretName reports whether a name ends as a secret's does.
func secretName(name string) bool {
	name = strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == '.' {
			return -1
		}
		return r
	}, strings.ToLower(name))
	for _, n := range names {
		if strings.HasSuffix(name, n) {
			return true
		}
	}
	return false
}

// minEntropy is in bits a byte. English text in this alphabet has about 3.5 at
// 20 letters, but no digits among them.
const minEntropy = 3

// random reports whether s looks generated: long enough, several classes of
// characters, letters and digits mixed rather than a word with a number behind
// it, and a high entropy.
func random(s string) bool {
	var count [256]int
	var lower, upper, digit, other, changes int
	last := 0
	for i := range len(s) {
		b := s[i]
		count[b]++
		var class int
		switch {
		case b >= 'a' && b <= 'z':
			lower, class = 1, 1
		case b >= 'A' && b <= 'Z':
			upper, class = 1, 2
		case b >= '0' && b <= '9':
			digit, class = 1, 3
		default:
			other, class = 1, 4
		}
		if class != last && i > 0 {
			changes++
		}
		last = class
	}
	if len(s) < 8 || digit+other == 0 || lower+upper == 0 || lower+upper+digit+other < 2 || changes < 3 {
		return false
	}
	if digit == 0 && (upper == 0 || len(s) > 24) { // words-with-hyphens, path/to/File
		return false
	}
	bits := 0.0
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(s))
			bits -= p * math.Log2(p)
		}
	}
	return bits >= min(minEntropy, math.Log2(float64(len(s)))-.5)
}

func bearerRule() detect.Rule {
	return detect.Rule{
		Kind: KindBearerToken, Score: .85, Reason: "credentials of an Authorization header", Threats: threats(),
		Starts: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", Max: 2048,
		Match: func(text string, at int, atEOF bool) int {
			if at < 6 || text[at-1] != ' ' {
				return 0
			}
			if before := text[:at-1]; !endsWith(before, "bearer") && !endsWith(before, "authorization: basic") {
				return 0
			}
			end := bare.Run(text, at, 2046)
			if end == len(text) && !atEOF {
				return detect.NeedMore
			}
			for end > at && strings.IndexByte(".,!?", text[end-1]) >= 0 {
				end--
			}
			if value := text[at:end]; len(value) < 16 || !random(value) || placeholder(value) {
				return 0
			}
			return end - at
		},
	}
}

// endsWith reports whether s ends with suffix, whatever the case.
func endsWith(s, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}
