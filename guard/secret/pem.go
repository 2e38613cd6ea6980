package secret

import (
	"strings"

	"github.com/prodailabs/prodai/guard/detect"
)

// maxPEM limits a block, in bytes. An RSA key of 8192 bits has about 6,400.
const maxPEM = 8 << 10

var (
	pemLabel = detect.NewClass("A-Z0-9 ")
	pemBody  = detect.NewClass("A-Za-z0-9+/=\r\n\t \\:,.\"'>|")
	pemData  = detect.NewClass("A-Za-z0-9+/=")
)

func privateKeyRule() detect.Rule {
	return detect.Rule{
		Kind: KindPrivateKey, Score: .99, Reason: "PEM block of a private key", Threats: threats(),
		Starts: "-", Max: maxPEM, Match: matchPEM,
	}
}

// matchPEM finds a block (RFC 7468) up to its end line. Newlines may be escaped, and lines
// may be quoted. A block without an end line counts up to the end of its data, because a
// key that was cut is still most of a key.
func matchPEM(text string, at int, atEOF bool) int {
	if at > 0 && text[at-1] == '-' {
		return 0
	}
	n := pemBegin(text, at, atEOF)
	if n <= 0 {
		return n
	}
	body := at + n
	data := 0
	last := body // after the last byte of data
	for from := body; ; {
		stop := pemBody.Run(text, from, maxPEM)
		if n, end := pemDataIn(text, from, stop); n > 0 {
			data, last = data+n, end
		}
		if stop == len(text) {
			if !atEOF {
				return detect.NeedMore
			}
			break
		}
		if text[stop] != '-' {
			break
		}
		n := detect.Literal(text, stop, "-----END ", atEOF)
		if n == detect.NeedMore {
			return detect.NeedMore
		}
		if n > 0 {
			stop = pemLabel.Run(text, stop+n, 40)
			if n := detect.Literal(text, stop, "-----", atEOF); n != 0 {
				if n == detect.NeedMore || data < 40 {
					return min(0, n)
				}
				return stop + n - at
			}
			break
		}
		if strings.HasPrefix(text[stop:], "-----") {
			break
		}
		from = stop + 1 // a hyphen inside a header such as DEK-Info
	}
	if data < 40 {
		return 0
	}
	return last - at
}

// pemDataIn counts the bytes of data in a part of a text, and returns where the last
// one ends.
func pemDataIn(text string, from, to int) (n, end int) {
	for i := from; i < to; i++ {
		if pemData[text[i]] {
			n++
			end = i + 1
		}
	}
	return n, end
}

// pemBegin returns the length of the line that begins a private key's block.
func pemBegin(text string, at int, atEOF bool) int {
	const begin = "-----BEGIN "
	if n := detect.Literal(text, at, begin, atEOF); n <= 0 {
		return n
	}
	label := at + len(begin)
	end := pemLabel.Run(text, label, 40)
	if end == len(text) && !atEOF {
		return detect.NeedMore
	}
	if name := text[label:end]; !strings.HasSuffix(name, "PRIVATE KEY") && !strings.HasSuffix(name, "PRIVATE KEY BLOCK") {
		return 0
	}
	if n := detect.Literal(text, end, "-----", atEOF); n <= 0 {
		return n
	}
	return end + 5 - at
}
