package secret

import (
	"strings"

	"github.com/prodailabs/prodai/guard/detect"
)

const maxURL = 2 << 10

var (
	scheme   = detect.NewClass("a-z0-9+.-")
	userInfo = detect.NewClass("A-Za-z0-9!$&*+=._~%:#^?-")
	urlBytes = detect.NewClass("A-Za-z0-9!$&'*+=._~%:#/?@[,-")
)

// samplePasswords are what documentation writes in the place of a password.
var samplePasswords = []string{"password", "passwd", "pass", "pwd", "pw", "secret", "xxx", "xxxx", "xxxxx", "p", "user", "username"}

func urlRule() detect.Rule {
	return detect.Rule{
		Kind: KindURLPassword, Score: .9, Reason: "a password in a URL", Threats: threats(),
		Starts: "abcdefghijklmnopqrstuvwxyz", Max: maxURL, Match: matchURL,
	}
}

// matchURL finds a URL with a password (RFC 3986, 3.2.1). The finding is the whole URL:
// without the password the host and the user would still be readable.
func matchURL(text string, at int, atEOF bool) int {
	stop := scheme.Run(text, at, 24)
	if stop-at == 24 {
		return 0
	}
	if n := detect.Literal(text, stop, "://", atEOF); n <= 0 {
		return n
	}
	user := stop + 3
	stop = userInfo.Run(text, user, maxURL)
	if stop == len(text) && !atEOF {
		return detect.NeedMore
	}
	if stop == len(text) || text[stop] != '@' {
		return 0
	}
	_, password, ok := strings.Cut(text[user:stop], ":")
	if !ok || password == "" || sample(password) {
		return 0
	}
	end := urlBytes.Run(text, stop+1, maxURL)
	if end == len(text) && !atEOF {
		return detect.NeedMore
	}
	for end > stop+1 && strings.IndexByte(".,:!?'*", text[end-1]) >= 0 {
		end-- // punctuation of the sentence
	}
	if end == stop+1 {
		return 0
	}
	return end - at
}

func sample(password string) bool {
	for _, s := range samplePasswords {
		if strings.EqualFold(s, password) {
			return true
		}
	}
	return placeholder(password) && len(password) > 2
}
