package secret

import (
	"strings"

	"github.com/prodailabs/prodai/guard/detect"
)

// schemes are the ends of the text before the credentials in an Authorization header.
var schemes = []string{"bearer", "authorization: basic", "authorization: token", "authorization: api-token", "authorization: apikey", "authorization:"}

func bearerRule() detect.Rule {
	return detect.Rule{
		Kind: KindBearerToken, Score: .85, Reason: "credentials of an Authorization header", Threats: threats(),
		Starts: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+/", Max: 2048,
		Match: func(text string, at int, atEOF bool) int {
			if at < 6 || text[at-1] != ' ' {
				return 0
			}
			before := strings.TrimRight(text[:at], " ")
			switch before[max(0, len(before)-1):] {
			case "r", "R", "c", "C", "n", "N", "y", "Y", ":":
			default:
				return 0
			}
			i := 0
			for i < len(schemes) && !endsWith(before, schemes[i]) {
				i++
			}
			if i == len(schemes) {
				return 0
			}
			end := bare.Run(text, at, 2046)
			if end == len(text) && !atEOF {
				return detect.NeedMore
			}
			for end > at && strings.IndexByte(".,!?", text[end-1]) >= 0 {
				end--
			}
			if value := text[at:end]; len(value) < 16 || !random(value) || placeholder(value) || i == len(schemes)-1 && turns(value) < 3 {
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
