package secret

import "github.com/prodailabs/prodai/guard/detect"

// maxJWT bounds a token; providers keep theirs below the 8 KiB that servers
// allow a header.
const maxJWT = 6 << 10

func jwtRule() detect.Rule {
	return detect.Rule{
		Kind: KindJWT, Score: .95, Reason: "three base64url parts, the first two JSON objects", Threats: threats(),
		Starts: "e", Max: maxJWT, Match: matchJWT,
	}
}

// matchJWT takes the compact serialization (RFC 7519, 3): the header and the
// claims begin with {" in base64url.
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
		if stop-end < 6 {
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
