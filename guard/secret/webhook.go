package secret

import (
	"strings"

	"github.com/prodailabs/prodai/guard/detect"
)

var (
	hostPart  = detect.NewClass("A-Za-z0-9-")
	teamsPath = detect.NewClass("A-Za-z0-9@/-")
)

// teamsRule finds an incoming webhook of Microsoft Teams. The URL alone lets a program
// write to the channel.
func teamsRule() detect.Rule {
	const scheme, path = "https://", ".webhook.office.com/webhookb2/"
	return detect.Rule{
		Kind: "TEAMS_WEBHOOK", Score: .95, Reason: "the provider's webhook address", Threats: threats(),
		Prefix: scheme, Max: 400,
		Match: func(text string, at int, atEOF bool) int {
			host := hostPart.Run(text, at+len(scheme), 64)
			if n := detect.Literal(text, host, path, atEOF); n <= 0 {
				return n
			}
			end := teamsPath.Run(text, host+len(path), 300)
			if end == len(text) && !atEOF {
				return detect.NeedMore
			}
			if !strings.Contains(text[host:end], "/IncomingWebhook/") || end-host < 120 {
				return 0
			}
			return end - at
		},
	}
}

// facebookAppRule finds the access token of an app: its number, a vertical bar and 27
// characters.
func facebookAppRule() detect.Rule {
	return detect.Rule{
		Kind: "FACEBOOK_TOKEN", Score: .9, Reason: "the provider's token format", Threats: threats(),
		Starts: "123456789", Max: 16 + 1 + 27 + 2,
		Match: func(text string, at int, atEOF bool) int {
			bar := detect.Digits.Run(text, at, 17)
			if bar == len(text) && bar-at < 17 && !atEOF {
				return detect.NeedMore
			}
			if bar == len(text) || bar-at < 15 || bar-at > 16 || text[bar] != '|' {
				return 0
			}
			end := urlSafe.Run(text, bar+1, 28)
			if end == len(text) && end-bar <= 28 && !atEOF {
				return detect.NeedMore
			}
			if end-bar-1 != 27 || placeholder(text[bar+1:end]) {
				return 0
			}
			return end - at
		},
	}
}

// terraformRule finds a token of HCP Terraform: 14 characters, .atlasv1. and 60 to 70
// characters.
func terraformRule() detect.Rule {
	const middle = ".atlasv1."
	return detect.Rule{
		Kind: "TERRAFORM_TOKEN", Score: .95, Reason: "the provider's token format", Threats: threats(),
		Starts: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", Max: 14 + len(middle) + 70 + 2,
		Match: func(text string, at int, atEOF bool) int {
			dot := alnum.Run(text, at, 15)
			if dot == len(text) && dot-at < 15 && !atEOF {
				return detect.NeedMore
			}
			if dot-at != 14 {
				return 0
			}
			if n := detect.Literal(text, dot, middle, atEOF); n <= 0 {
				return n
			}
			from := dot + len(middle)
			end := urlPadded.Run(text, from, 71)
			if end == len(text) && end-from <= 70 && !atEOF {
				return detect.NeedMore
			}
			if n := end - from; n < 60 || n > 70 || placeholder(text[from:end]) {
				return 0
			}
			return end - at
		},
	}
}
