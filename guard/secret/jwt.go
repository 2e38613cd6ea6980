package secret

import (
	"encoding/base64"
	"strings"

	"github.com/prodailabs/prodai/guard/detect"
)

// maxJWT limits a token, in bytes. Servers allow a header 8 KiB, so real tokens are
// shorter.
const maxJWT = 6 << 10

func jwtRule() detect.Rule {
	return detect.Rule{
		Kind: KindJWT, Score: .95, Reason: "three base64url parts, the first two JSON objects", Threats: threats(),
		Prefix: "eyJ", Max: maxJWT, Match: matchJWT,
	}
}

// matchJWT finds the compact serialization (RFC 7519, 3). The header and the claims begin
// with {" in base64url. The signature may be missing only if the header has the
// algorithm "none" (RFC 7519, 6).
func matchJWT(text string, at int, atEOF bool) int {
	end := at
	for part := range 3 {
		if part < 2 {
			if n := detect.Literal(text, end, "eyJ", atEOF); n <= 0 {
				return n
			}
		}
		stop := urlSafe.Run(text, end, maxJWT)
		if stop == len(text) && !atEOF {
			return detect.NeedMore
		}
		if stop-end < 6 && (part < 2 || stop > end || !unsigned(text[at:end])) {
			return 0
		}
		if part < 2 {
			if stop == len(text) || text[stop] != '.' {
				return 0
			}
			stop++
		}
		end = stop
	}
	return end - at
}

// unsigned reports whether the header of a token has the algorithm "none".
func unsigned(token string) bool {
	header, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(header)
	return err == nil && strings.Contains(strings.ReplaceAll(string(text), " ", ""), `"alg":"none"`)
}

// maxEncodedJWT limits an encoded token, in bytes.
const maxEncodedJWT = maxJWT / 3 * 4

// encodedJWTRule finds a token that is encoded in base64 a second time, as in a Secret of
// Kubernetes. The encoded form of "eyJ" is "ZXlK".
func encodedJWTRule() detect.Rule {
	return detect.Rule{
		Kind: KindJWT, Score: .95, Reason: "a JSON web token in base64", Threats: threats(),
		Prefix: "ZXlK", Max: maxEncodedJWT,
		Match: func(text string, at int, atEOF bool) int {
			end := encodedBytes.Run(text, at, maxEncodedJWT)
			if end == len(text) && !atEOF {
				return detect.NeedMore
			}
			body := text[at:end]
			for padding := 0; padding < 2 && end < len(text) && text[end] == '='; padding++ {
				end++
			}
			if end == len(text) && !atEOF {
				return detect.NeedMore
			}
			token, err := base64.RawURLEncoding.DecodeString(strings.NewReplacer("+", "-", "/", "_").Replace(body))
			if err != nil || matchJWT(string(token), 0, true) < len(token) {
				return 0
			}
			return end - at
		},
	}
}

var encodedBytes = detect.NewClass("A-Za-z0-9+/_-")
