package secret

import (
	"strings"

	"github.com/prodailabs/prodai/guard/detect"
)

var (
	entraHead = detect.NewClass("A-Za-z0-9_~.")
	entraBody = detect.NewClass("A-Za-z0-9_~.-")
)

// azureSecretRule finds a client secret of Microsoft Entra ID: three characters, a digit,
// Q~ and 31 to 34 characters.
func azureSecretRule() detect.Rule {
	return detect.Rule{
		Kind: "AZURE_SECRET", Score: .95, Reason: "the provider's token format", Threats: threats(),
		Starts: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_~", Max: 6 + 34 + 2,
		Match: func(text string, at int, atEOF bool) int {
			head := min(len(text), at+6)
			for i := at; i < head; i++ {
				b := text[i]
				if i < at+3 && !entraHead[b] || i == at+3 && !detect.Digits[b] || i == at+4 && b != 'Q' || i == at+5 && b != '~' {
					return 0
				}
			}
			if head < at+6 {
				if atEOF {
					return 0
				}
				return detect.NeedMore
			}
			end := entraBody.Run(text, head, 35)
			if end == len(text) && end-head <= 34 && !atEOF {
				return detect.NeedMore
			}
			if end-head == 35 && text[end-1] == '.' || end > head+31 && end == len(text) && text[end-1] == '.' {
				end-- // punctuation of the sentence
			}
			if n := end - head; n < 31 || n > 34 || placeholder(text[at:end]) {
				return 0
			}
			return end - at
		},
	}
}

// azureSASRule finds the signature in a shared access signature of Azure: sig= in a query,
// and 43 characters of base64. A URL escapes some of them as %2B, %2F and %3D.
func azureSASRule() detect.Rule {
	const prefix = "sig="
	return detect.Rule{
		Kind: "AZURE_SAS", Score: .9, Reason: "signature of a shared access signature", Threats: threats(),
		Prefix: prefix, Max: len(prefix) + 44*3 + 2,
		Match: func(text string, at int, atEOF bool) int {
			if at == 0 || strings.IndexByte("?&;", text[at-1]) < 0 {
				return 0
			}
			n, end := 0, at+len(prefix)
			for ; end < len(text) && n < 44; n++ {
				b := text[end]
				if b != '%' && !base64set[b] && b != '-' && b != '_' {
					break
				}
				if b == '%' {
					end = min(len(text), end+2)
				}
				end = min(len(text), end+1)
			}
			switch {
			case end == len(text) && !atEOF:
				return detect.NeedMore
			case n < 43 || end < len(text) && alnum[text[end]]:
				return 0
			}
			return end - at
		},
	}
}
