package secret

import (
	"slices"
	"strings"

	"github.com/prodailabs/prodai/guard/detect"
)

// A format is a provider's token: a prefix and a run of bytes of a class.
type format struct {
	kind     string
	prefix   string
	class    *detect.Class
	min, max int                    // bytes after the prefix
	ok       func(body string) bool // a further check of what follows the prefix; nil: none
}

var (
	alnum     = detect.NewClass("A-Za-z0-9")
	lowAlnum  = detect.NewClass("a-z0-9")
	hex       = detect.NewClass("0-9a-f")
	anyHex    = detect.NewClass("0-9A-Fa-f")
	upper     = detect.NewClass("A-Z0-9")
	base32set = detect.NewClass("A-Z2-7")
	base64set = detect.NewClass("A-Za-z0-9+/=")
	urlSafe   = detect.NewClass("A-Za-z0-9_-")
	urlPadded = detect.NewClass("A-Za-z0-9_=-")
	dotted    = detect.NewClass("A-Za-z0-9_.-")
	dotPadded = detect.NewClass("A-Za-z0-9_.=-")
	slashed   = detect.NewClass("A-Za-z0-9/_-")
	slackPath = detect.NewClass("A-Za-z0-9+/_-")
	hexDashed = detect.NewClass("0-9a-f-")
	percented = detect.NewClass("A-Za-z0-9%")
	flyBytes  = detect.NewClass("A-Za-z0-9+/=_-")
)

// parts returns a check of the lengths of the parts between separators.
func parts(sep string, lengths ...int) func(body string) bool {
	return func(body string) bool {
		got := strings.Split(body, sep)
		if len(got) != len(lengths) {
			return false
		}
		for i, p := range got {
			if len(p) != lengths[i] {
				return false
			}
		}
		return true
	}
}

// uuid checks the form 8-4-4-4-12 of hexadecimal digits.
var uuid = parts("-", 8, 4, 4, 4, 12)

// manyTurns checks tokens whose prefix is short: letters and digits must change often.
func manyTurns(body string) bool { return turns(body) >= 3 }

// formats lists the token forms that providers publish. If two of them match, the longer
// match wins, so the order does not matter.
func formats() []format {
	return slices.Concat(cloudFormats(), codeFormats(), modelFormats(), serviceFormats())
}

// cloudFormats are tokens of cloud providers and platforms.
func cloudFormats() []format {
	return []format{
		{"AWS_ACCESS_KEY", "AKIA", base32set, 16, 16, nil},
		{"AWS_ACCESS_KEY", "ASIA", base32set, 16, 16, nil},
		{"AWS_ACCESS_KEY", "ABIA", base32set, 16, 16, nil},
		{"AWS_ACCESS_KEY", "ACCA", base32set, 16, 16, nil},
		{"BEDROCK_KEY", "ABSK", base64set, 109, 280, nil},
		{"BEDROCK_KEY", "bedrock-api-key-YmVkcm9jay", base64set, 30, 2000, nil},
		{"ALIBABA_KEY", "LTAI", alnum, 12, 20, manyTurns},
		{"CLOUDFLARE_KEY", "v1.0-", hexDashed, 171, 171, parts("-", 24, 146)},
		{"DIGITALOCEAN_TOKEN", "dop_v1_", hex, 64, 64, nil},
		{"DIGITALOCEAN_TOKEN", "doo_v1_", hex, 64, 64, nil},
		{"DIGITALOCEAN_TOKEN", "dor_v1_", hex, 64, 64, nil},
		{"DATABRICKS_TOKEN", "dapi", hexDashed, 32, 34, func(b string) bool { return len(b) == 32 || len(b) == 34 && b[32] == '-' }},
		{"FLYIO_TOKEN", "fo1_", urlSafe, 43, 43, nil},
		{"FLYIO_TOKEN", "fm1a_", flyBytes, 100, 1000, nil},
		{"FLYIO_TOKEN", "fm1r_", flyBytes, 100, 1000, nil},
		{"FLYIO_TOKEN", "fm2_", flyBytes, 100, 1000, nil},
		{"GOOGLE_API_KEY", "AIza", urlSafe, 35, 35, nil},
		{"GOOGLE_OAUTH", "GOCSPX-", urlSafe, 28, 28, nil},
		{"GOOGLE_OAUTH", "ya29.", urlSafe, 30, 400, nil},
		{"HEROKU_KEY", "HRKU-AA", urlSafe, 58, 58, nil},
		{"NETLIFY_TOKEN", "nfp_", alnum, 36, 40, nil},
		{"OPENSHIFT_TOKEN", "sha256~", urlSafe, 43, 43, nil},
		{"PLANETSCALE_TOKEN", "pscale_tkn_", dotPadded, 32, 64, nil},
		{"PLANETSCALE_TOKEN", "pscale_pw_", dotPadded, 32, 64, nil},
		{"PLANETSCALE_TOKEN", "pscale_oauth_", dotPadded, 32, 64, nil},
		{"PULUMI_TOKEN", "pul-", hex, 40, 40, nil},
		{"SCALINGO_TOKEN", "tk-us-", urlSafe, 48, 48, nil},
		{"SUPABASE_TOKEN", "sbp_", hex, 40, 40, nil},
		{"VAULT_TOKEN", "hvs.", urlSafe, 24, 200, nil},
		{"VAULT_TOKEN", "hvb.", urlSafe, 24, 300, nil},
		{"YANDEX_KEY", "AQVN", urlSafe, 35, 38, nil},
		{"YANDEX_KEY", "YC", urlSafe, 38, 38, manyTurns},
		{"CLICKHOUSE_KEY", "4b1d", alnum, 38, 38, manyTurns},
	}
}

// codeFormats are tokens for code, packages, builds, tests and operation.
func codeFormats() []format {
	return []format{
		{"GITHUB_PAT", "ghp_", alnum, 36, 36, nil},
		{"GITHUB_PAT", "github_pat_", detect.Word, 82, 82, nil},
		{"GITHUB_TOKEN", "gho_", alnum, 36, 36, nil},
		{"GITHUB_TOKEN", "ghu_", alnum, 36, 36, nil},
		{"GITHUB_TOKEN", "ghs_", alnum, 36, 36, nil},
		{"GITHUB_TOKEN", "ghr_", alnum, 36, 76, nil},
		{"GITLAB_TOKEN", "glpat-", dotted, 20, 320, nil},
		{"GITLAB_TOKEN", "gldt-", dotted, 20, 64, nil},
		{"GITLAB_TOKEN", "glrt-", dotted, 20, 320, nil},
		{"GITLAB_TOKEN", "glrtr-", dotted, 20, 320, nil},
		{"GITLAB_TOKEN", "glptt-", hex, 40, 40, nil},
		{"GITLAB_TOKEN", "glcbt-", urlSafe, 20, 80, nil},
		{"GITLAB_TOKEN", "gloas-", alnum, 64, 64, nil},
		{"GITLAB_TOKEN", "glsoat-", urlSafe, 20, 20, nil},
		{"GITLAB_TOKEN", "glft-", urlSafe, 20, 64, nil},
		{"GITLAB_TOKEN", "glimt-", urlSafe, 25, 25, nil},
		{"GITLAB_TOKEN", "glagent-", urlSafe, 50, 50, nil},
		{"GITLAB_TOKEN", "glffct-", urlSafe, 20, 20, nil},
		{"GITLAB_TOKEN", "GR1348941", urlSafe, 20, 20, manyTurns},
		{"BITBUCKET_TOKEN", "ATBB", alnum, 32, 32, manyTurns},
		{"ATLASSIAN_TOKEN", "ATATT3", dotPadded, 150, 220, nil},
		{"SOURCEGRAPH_TOKEN", "sgp_", detect.Word, 40, 57, sourcegraph},
		{"SOURCEGRAPH_TOKEN", "slk_", hex, 64, 64, nil},
		{"DOCKER_TOKEN", "dckr_pat_", urlSafe, 27, 40, nil},
		{"DOCKER_TOKEN", "dckr_oat_", urlSafe, 27, 40, nil},
		{"POSTMAN_KEY", "PMAK-", hexDashed, 59, 59, nil},
		{"NPM_TOKEN", "npm_", alnum, 36, 36, nil},
		{"PYPI_TOKEN", "pypi-AgE", urlSafe, 50, 300, nil},
		{"CRATES_TOKEN", "cio", alnum, 32, 32, nil},
		{"RUBYGEMS_KEY", "rubygems_", hex, 48, 48, nil},
		{"CLOJARS_TOKEN", "CLOJARS_", lowAlnum, 60, 60, nil},
		{"ARTIFACTORY_KEY", "AKCp", alnum, 69, 69, nil},
		{"ARTIFACTORY_KEY", "cmVmdGtu", alnum, 56, 56, nil},
		{"SONAR_TOKEN", "squ_", hex, 40, 40, nil},
		{"SONAR_TOKEN", "sqp_", hex, 40, 40, nil},
		{"SONAR_TOKEN", "sqa_", hex, 40, 40, nil},
		{"HARNESS_TOKEN", "pat.", dotted, 68, 68, parts(".", 22, 24, 20)},
		{"HARNESS_TOKEN", "sat.", dotted, 68, 68, parts(".", 22, 24, 20)},
		{"OCTOPUS_KEY", "API-", upper, 26, 26, nil},
		{"PREFECT_KEY", "pnu_", alnum, 36, 36, nil},
		{"INFRACOST_KEY", "ico-", alnum, 32, 32, manyTurns},
		{"LAUNCHDARKLY_KEY", "sdk-", hexDashed, 36, 36, uuid},
		{"DOPPLER_TOKEN", "dp.pt.", alnum, 40, 48, nil},
		{"SENTRY_TOKEN", "sntryu_", hex, 64, 64, nil},
		{"SENTRY_TOKEN", "sntrys_eyJ", detect.NewClass("A-Za-z0-9+/=_"), 80, 500, func(b string) bool { return strings.LastIndexByte(b, '_') == len(b)-44 }},
		{"GRAFANA_TOKEN", "glsa_", detect.Word, 40, 48, nil},
		{"GRAFANA_TOKEN", "glc_", base64set, 32, 400, nil},
		{"GRAFANA_TOKEN", "eyJrIjoi", base64set, 70, 400, nil},
		{"NEWRELIC_KEY", "NRAK-", upper, 27, 27, nil},
		{"NEWRELIC_KEY", "NRII-", urlSafe, 32, 32, nil},
		{"NEWRELIC_KEY", "NRJS-", hex, 19, 19, nil},
		{"DYNATRACE_TOKEN", "dt0c01.", dotted, 89, 89, parts(".", 24, 64)},
		{"DEFINED_TOKEN", "dnkey-", urlPadded, 79, 79, nil},
		{"AGE_KEY", "AGE-SECRET-KEY-1", upper, 58, 58, nil},
	}
}

// modelFormats are tokens of providers of models and of tools for them.
func modelFormats() []format {
	return []format{
		{"ANTHROPIC_KEY", "sk-ant-", urlSafe, 32, 160, nil},
		{"OPENAI_KEY", "sk-proj-", urlSafe, 32, 200, nil},
		{"OPENAI_KEY", "sk-svcacct-", urlSafe, 32, 200, nil},
		{"OPENAI_KEY", "sk-admin-", urlSafe, 32, 200, nil},
		{"OPENAI_KEY", "sk-", alnum, 40, 64, nil},
		{"OPENROUTER_KEY", "sk-or-v1-", hex, 64, 64, nil},
		{"NVIDIA_KEY", "nvapi-", urlSafe, 60, 80, nil},
		{"LANGFUSE_KEY", "sk-lf-", hexDashed, 36, 36, uuid},
		{"TAVILY_KEY", "tvly-", urlSafe, 30, 64, nil},
		{"JINA_KEY", "jina_", urlSafe, 56, 72, nil},
		{"HUGGINGFACE_TOKEN", "hf_", alnum, 34, 40, nil},
		{"HUGGINGFACE_TOKEN", "api_org_", alnum, 34, 40, nil},
		{"REPLICATE_TOKEN", "r8_", alnum, 37, 40, nil},
		{"GROQ_KEY", "gsk_", alnum, 52, 52, nil},
		{"XAI_KEY", "xai-", alnum, 80, 80, nil},
		{"PERPLEXITY_KEY", "pplx-", alnum, 48, 56, nil},
		{"PINECONE_KEY", "pcsk_", detect.Word, 60, 80, nil},
		{"LANGSMITH_KEY", "lsv2_pt_", detect.Word, 40, 48, nil},
		{"LANGSMITH_KEY", "lsv2_sk_", detect.Word, 40, 48, nil},
		{"VOYAGE_KEY", "pa-", urlSafe, 43, 43, manyTurns},
		{"LLAMACLOUD_KEY", "llx-", alnum, 40, 56, nil},
		{"CEREBRAS_KEY", "csk-", alnum, 48, 48, nil},
	}
}

// serviceFormats are tokens of all other services.
func serviceFormats() []format {
	return []format{
		{"SLACK_TOKEN", "xoxb-", urlSafe, 20, 160, nil},
		{"SLACK_TOKEN", "xoxp-", urlSafe, 20, 160, nil},
		{"SLACK_TOKEN", "xoxa-", urlSafe, 20, 160, nil},
		{"SLACK_TOKEN", "xoxr-", urlSafe, 20, 160, nil},
		{"SLACK_TOKEN", "xoxs-", urlSafe, 20, 160, nil},
		{"SLACK_TOKEN", "xoxe-", urlSafe, 40, 260, nil},
		{"SLACK_TOKEN", "xoxe.xoxp-", urlSafe, 40, 260, nil},
		{"SLACK_TOKEN", "xoxe.xoxb-", urlSafe, 40, 260, nil},
		{"SLACK_TOKEN", "xapp-", urlSafe, 20, 160, nil},
		{"SLACK_WEBHOOK", "https://hooks.slack.com/services/", slackPath, 40, 90, nil},
		{"SLACK_WEBHOOK", "https://hooks.slack.com/workflows/", slackPath, 40, 90, nil},
		{"SLACK_WEBHOOK", "https://hooks.slack.com/triggers/", slackPath, 40, 90, nil},
		{"SLACK_WEBHOOK", "hooks.slack.com/services/", slackPath, 40, 90, nil},
		{"SLACK_WEBHOOK", "hooks.slack.com/workflows/", slackPath, 40, 90, nil},
		{"SLACK_WEBHOOK", "hooks.slack.com/triggers/", slackPath, 40, 90, nil},
		{"DISCORD_WEBHOOK", "https://discord.com/api/webhooks/", slashed, 60, 110, nil},
		{"DISCORD_WEBHOOK", "https://discordapp.com/api/webhooks/", slashed, 60, 110, nil},
		{"DISCORD_WEBHOOK", "https://ptb.discord.com/api/webhooks/", slashed, 60, 110, nil},
		{"DISCORD_WEBHOOK", "https://canary.discord.com/api/webhooks/", slashed, 60, 110, nil},
		{"STRIPE_KEY", "sk_live_", alnum, 16, 128, nil},
		{"STRIPE_KEY", "rk_live_", alnum, 16, 128, nil},
		{"STRIPE_KEY", "sk_test_", alnum, 16, 128, nil},
		{"STRIPE_KEY", "rk_test_", alnum, 16, 128, nil},
		{"STRIPE_KEY", "whsec_", alnum, 24, 64, nil},
		{"FACEBOOK_TOKEN", "EAA", alnum, 80, 400, manyTurns},
		{"SQUARE_TOKEN", "EAAA", urlSafe, 60, 60, manyTurns},
		{"SQUARE_TOKEN", "sq0atp-", urlSafe, 22, 22, nil},
		{"SQUARE_TOKEN", "sq0csp-", urlSafe, 43, 43, nil},
		{"SHOPIFY_TOKEN", "shpat_", hex, 32, 32, nil},
		{"SHOPIFY_TOKEN", "shpss_", hex, 32, 32, nil},
		{"SHOPIFY_TOKEN", "shpca_", hex, 32, 32, nil},
		{"SHOPIFY_TOKEN", "shppa_", hex, 32, 32, nil},
		{"FLUTTERWAVE_KEY", "FLWSECK-", urlSafe, 34, 34, nil},
		{"FLUTTERWAVE_KEY", "FLWSECK_TEST-", urlSafe, 34, 34, nil},
		{"PLAID_TOKEN", "access-sandbox-", hexDashed, 36, 36, uuid},
		{"PLAID_TOKEN", "access-development-", hexDashed, 36, 36, uuid},
		{"PLAID_TOKEN", "access-production-", hexDashed, 36, 36, uuid},
		{"SENDGRID_KEY", "SG.", dotPadded, 60, 72, nil},
		{"MAILGUN_KEY", "key-", hex, 32, 32, nil},
		{"BREVO_KEY", "xkeysib-", detect.NewClass("a-z0-9-"), 81, 81, parts("-", 64, 16)},
		{"TWILIO_KEY", "SK", hex, 32, 32, nil},
		{"TWITTER_TOKEN", "AAAAAAAAAAAAAAAAAAAAA", percented, 80, 100, nil},
		{"EASYPOST_KEY", "EZAK", alnum, 54, 54, nil},
		{"EASYPOST_KEY", "EZTK", alnum, 54, 54, nil},
		{"SHIPPO_TOKEN", "shippo_live_", hex, 40, 40, nil},
		{"SHIPPO_TOKEN", "shippo_test_", hex, 40, 40, nil},
		{"DUFFEL_TOKEN", "duffel_live_", urlPadded, 43, 43, nil},
		{"DUFFEL_TOKEN", "duffel_test_", urlPadded, 43, 43, nil},
		{"LOB_KEY", "live_", hex, 35, 35, nil},
		{"LOB_KEY", "test_", hex, 35, 35, nil},
		{"ONEPASSWORD_KEY", "A3-", detect.NewClass("A-Z0-9-"), 36, 37, onePassword},
		{"ONEPASSWORD_KEY", "ops_eyJ", base64set, 200, 2000, nil},
		{"AIRTABLE_TOKEN", "pat", dotted, 79, 79, parts(".", 14, 64)},
		{"ADOBE_SECRET", "p8e-", alnum, 32, 32, nil},
		{"CONTENTFUL_TOKEN", "CFPAT-", urlSafe, 43, 43, nil},
		{"FIGMA_TOKEN", "figd_", urlSafe, 40, 43, nil},
		{"FRAMEIO_TOKEN", "fio-u-", urlPadded, 64, 64, nil},
		{"LINEAR_KEY", "lin_api_", alnum, 40, 40, nil},
		{"NOTION_TOKEN", "ntn_", alnum, 40, 52, nil},
		{"NOTION_TOKEN", "secret_", alnum, 43, 43, manyTurns},
		{"README_KEY", "rdme_", lowAlnum, 70, 70, nil},
		{"TYPEFORM_TOKEN", "tfp_", dotPadded, 59, 59, nil},
		{"MAPBOX_TOKEN", "sk.eyJ", dotted, 50, 120, nil},
		{"INTRA42_SECRET", "s-s4t2ud-", hex, 64, 64, nil},
		{"INTRA42_SECRET", "s-s4t2af-", hex, 64, 64, nil},
		{"SETTLEMINT_TOKEN", "sm_pat_", alnum, 16, 16, nil},
		{"SETTLEMINT_TOKEN", "sm_aat_", alnum, 16, 16, nil},
		{"SETTLEMINT_TOKEN", "sm_sat_", alnum, 16, 16, nil},
	}
}

// sourcegraph checks the 40 hexadecimal digits of a token. The name of the instance and an
// underscore may be before them.
func sourcegraph(body string) bool {
	if i := strings.LastIndexByte(body, '_'); i >= 0 {
		if instance := body[:i]; instance != "local" && (len(instance) != 16 || anyHex.Run(instance, 0, 16) != 16) {
			return false
		}
		body = body[i+1:]
	}
	var count [256]int
	for i := range len(body) {
		count[body[i]]++
	}
	return len(body) == 40 && anyHex.Run(body, 0, 40) == 40 && entropy(&count, len(body)) > minHexEntropy
}

// onePassword checks the lengths of the groups of a secret key. The second and third group
// may be written as one.
func onePassword(body string) bool {
	return parts("-", 6, 11, 5, 5, 5)(body) || parts("-", 6, 6, 5, 5, 5, 5)(body) || parts("-", 6, 5, 5, 5, 5, 5)(body)
}

func (f format) rule() detect.Rule {
	return detect.Rule{
		Kind: f.kind, Score: .95, Reason: "the provider's token format", Threats: threats(),
		Prefix: f.prefix, Max: len(f.prefix) + f.max + 2,
		Match: func(text string, at int, atEOF bool) int {
			if at > 1 && text[at-1] == '.' && alnum[text[at-2]] {
				return 0 // a part of a file's name, as in box.ico-1f2e…
			}
			from := at + len(f.prefix)
			end := f.class.Run(text, from, f.max+1)
			if end == len(text) && end-from <= f.max && !atEOF {
				return detect.NeedMore
			}
			if end-from > f.max {
				return 0
			}
			for end-from > f.min && (text[end-1] == '-' || text[end-1] == '.') {
				end-- // punctuation of the sentence
			}
			body := text[from:end]
			if len(body) < f.min || placeholder(body) || f.ok != nil && !f.ok(body) {
				return 0
			}
			switch detect.EndsWord(text, end, detect.Word, atEOF) {
			case detect.NeedMore:
				return detect.NeedMore
			case 0:
				return 0
			}
			return end - at
		},
	}
}

// placeholder reports whether a value is only an example of a secret, as in documentation:
// it contains a word such as "example", is the name of a variable, or repeats one or two
// characters.
func placeholder(s string) bool {
	var seen [256]bool
	distinct := 0
	for i := range len(s) {
		if !seen[s[i]] {
			seen[s[i]] = true
			distinct++
		}
	}
	if distinct <= 2 || len(s) > 1 && s[0] == '%' && s[len(s)-1] == '%' {
		return true
	}
	s = strings.ToLower(s)
	for _, w := range []string{"example", "your", "placeholder", "xxxx", "changeme", "redacted", "dummy", "insert", "<", "${", "{{", "...", "****", "1234567890abcdef", "abcdefghij"} {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// telegramRule finds the number of a bot, a colon and 35 bytes that begin with AA. In URLs
// of the service "bot" is before the number: prefix is then "bot".
func telegramRule(prefix string) detect.Rule {
	starts := ""
	if prefix == "" {
		starts = "123456789"
	}
	return detect.Rule{
		Kind: "TELEGRAM_TOKEN", Score: .95, Reason: "the provider's token format", Threats: threats(),
		Prefix: prefix, Starts: starts, Max: len(prefix) + 10 + 1 + 35 + 2,
		Match: func(text string, at int, atEOF bool) int {
			from := at + len(prefix)
			colon := detect.Digits.Run(text, from, 11)
			if colon == len(text) && colon-from < 11 && !atEOF {
				return detect.NeedMore
			}
			if colon-from < 8 || colon-from > 10 {
				return 0
			}
			if n := detect.Literal(text, colon, ":AA", atEOF); n <= 0 {
				return n
			}
			end := urlSafe.Run(text, colon+1, 36)
			if end == len(text) && end-colon-1 <= 35 && !atEOF {
				return detect.NeedMore
			}
			if end-colon-1 != 35 {
				return 0
			}
			return end - at
		},
	}
}
