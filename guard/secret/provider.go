package secret

import (
	"strings"

	"github.com/prodailabs/prodai/guard/detect"
)

// A format is a provider's token: a prefix and a run of bytes of a class.
type format struct {
	kind     string
	prefix   string
	class    *detect.Class
	min, max int // bytes behind the prefix
}

var (
	alnum     = detect.NewClass("A-Za-z0-9")
	hex       = detect.NewClass("0-9a-f")
	upper     = detect.NewClass("A-Z0-9")
	base32set = detect.NewClass("A-Z2-7")
	urlSafe   = detect.NewClass("A-Za-z0-9_-")
	dotted    = detect.NewClass("A-Za-z0-9_.-")
	slashed   = detect.NewClass("A-Za-z0-9/_-")
	hexDashed = detect.NewClass("0-9a-f-")
)

// formats lists the providers' published token forms. A longer prefix stands
// before the shorter one that it begins with only for the reader: the longest
// match wins anyway.
func formats() []format {
	return []format{
		{"AWS_ACCESS_KEY", "AKIA", base32set, 16, 16},
		{"AWS_ACCESS_KEY", "ASIA", base32set, 16, 16},
		{"GITHUB_PAT", "ghp_", alnum, 36, 36},
		{"GITHUB_PAT", "github_pat_", detect.Word, 82, 82},
		{"GITHUB_TOKEN", "gho_", alnum, 36, 36},
		{"GITHUB_TOKEN", "ghu_", alnum, 36, 36},
		{"GITHUB_TOKEN", "ghs_", alnum, 36, 36},
		{"GITHUB_TOKEN", "ghr_", alnum, 36, 76},
		{"GITLAB_TOKEN", "glpat-", urlSafe, 20, 64},
		{"GITLAB_TOKEN", "gldt-", urlSafe, 20, 64},
		{"GITLAB_TOKEN", "glrt-", urlSafe, 20, 64},
		{"SLACK_TOKEN", "xoxb-", urlSafe, 20, 160},
		{"SLACK_TOKEN", "xoxp-", urlSafe, 20, 160},
		{"SLACK_TOKEN", "xoxa-", urlSafe, 20, 160},
		{"SLACK_TOKEN", "xoxr-", urlSafe, 20, 160},
		{"SLACK_TOKEN", "xoxs-", urlSafe, 20, 160},
		{"SLACK_TOKEN", "xapp-", urlSafe, 20, 160},
		{"SLACK_WEBHOOK", "https://hooks.slack.com/services/T", slashed, 30, 80},
		{"DISCORD_WEBHOOK", "https://discord.com/api/webhooks/", slashed, 60, 110},
		{"DISCORD_WEBHOOK", "https://discordapp.com/api/webhooks/", slashed, 60, 110},
		{"STRIPE_KEY", "sk_live_", alnum, 16, 128},
		{"STRIPE_KEY", "rk_live_", alnum, 16, 128},
		{"STRIPE_KEY", "sk_test_", alnum, 16, 128},
		{"STRIPE_KEY", "rk_test_", alnum, 16, 128},
		{"STRIPE_KEY", "whsec_", alnum, 24, 64},
		{"ANTHROPIC_KEY", "sk-ant-", urlSafe, 32, 160},
		{"OPENAI_KEY", "sk-proj-", urlSafe, 32, 200},
		{"OPENAI_KEY", "sk-svcacct-", urlSafe, 32, 200},
		{"OPENAI_KEY", "sk-admin-", urlSafe, 32, 200},
		{"OPENAI_KEY", "sk-", alnum, 40, 64},
		{"OPENROUTER_KEY", "sk-or-v1-", hex, 64, 64},
		{"NVIDIA_KEY", "nvapi-", urlSafe, 60, 80},
		{"LANGFUSE_KEY", "sk-lf-", hexDashed, 36, 36},
		{"TAVILY_KEY", "tvly-", urlSafe, 30, 64},
		{"JINA_KEY", "jina_", urlSafe, 56, 72},
		{"GOOGLE_API_KEY", "AIza", urlSafe, 35, 35},
		{"GOOGLE_OAUTH", "GOCSPX-", urlSafe, 28, 28},
		{"GOOGLE_OAUTH", "ya29.", urlSafe, 30, 400},
		{"HUGGINGFACE_TOKEN", "hf_", alnum, 34, 40},
		{"REPLICATE_TOKEN", "r8_", alnum, 37, 40},
		{"GROQ_KEY", "gsk_", alnum, 52, 52},
		{"XAI_KEY", "xai-", alnum, 80, 80},
		{"PERPLEXITY_KEY", "pplx-", alnum, 48, 56},
		{"PINECONE_KEY", "pcsk_", detect.Word, 60, 80},
		{"LANGSMITH_KEY", "lsv2_pt_", detect.Word, 40, 48},
		{"LANGSMITH_KEY", "lsv2_sk_", detect.Word, 40, 48},
		{"DOCKER_TOKEN", "dckr_pat_", urlSafe, 27, 40},
		{"DOCKER_TOKEN", "dckr_oat_", urlSafe, 27, 40},
		{"POSTMAN_KEY", "PMAK-", hexDashed, 59, 59},
		{"ATLASSIAN_TOKEN", "ATATT3", dotted, 150, 220},
		{"NPM_TOKEN", "npm_", alnum, 36, 36},
		{"PYPI_TOKEN", "pypi-AgE", urlSafe, 50, 300},
		{"CRATES_TOKEN", "cio", alnum, 32, 32},
		{"SENDGRID_KEY", "SG.", dotted, 60, 72},
		{"TWILIO_KEY", "SK", hex, 32, 32},
		{"DIGITALOCEAN_TOKEN", "dop_v1_", hex, 64, 64},
		{"SHOPIFY_TOKEN", "shpat_", hex, 32, 32},
		{"SHOPIFY_TOKEN", "shpss_", hex, 32, 32},
		{"SQUARE_TOKEN", "sq0atp-", urlSafe, 22, 22},
		{"SQUARE_TOKEN", "sq0csp-", urlSafe, 43, 43},
		{"VAULT_TOKEN", "hvs.", urlSafe, 24, 200},
		{"VAULT_TOKEN", "hvb.", urlSafe, 24, 300},
		{"DATABRICKS_TOKEN", "dapi", hex, 32, 32},
		{"DOPPLER_TOKEN", "dp.pt.", alnum, 40, 48},
		{"GRAFANA_TOKEN", "glsa_", detect.Word, 40, 48},
		{"NEWRELIC_KEY", "NRAK-", upper, 27, 27},
		{"LINEAR_KEY", "lin_api_", alnum, 40, 40},
		{"NOTION_TOKEN", "ntn_", alnum, 40, 52},
		{"SUPABASE_TOKEN", "sbp_", hex, 40, 40},
		{"PLANETSCALE_TOKEN", "pscale_tkn_", dotted, 32, 64},
		{"AGE_KEY", "AGE-SECRET-KEY-1", upper, 58, 58},
	}
}

func (f format) rule() detect.Rule {
	return detect.Rule{
		Kind: f.kind, Score: .95, Reason: "the provider's token format", Threats: threats(),
		Starts: f.prefix[:1], Max: len(f.prefix) + f.max + 2,
		Match: func(text string, at int, atEOF bool) int {
			if n := detect.Literal(text, at, f.prefix, atEOF); n <= 0 {
				return n
			}
			from := at + len(f.prefix)
			end := f.class.Run(text, from, f.max+1)
			if end == len(text) && end-from <= f.max && !atEOF {
				return detect.NeedMore
			}
			if end-from > f.max {
				return 0
			}
			for end > from && (text[end-1] == '-' || text[end-1] == '.') {
				end-- // punctuation of the sentence
			}
			body := text[from:end]
			if len(body) < f.min || placeholder(body) {
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

// placeholder reports whether a value only stands for a secret, as
// documentation does: it says so, or it repeats one or two characters.
func placeholder(s string) bool {
	distinct := map[byte]bool{}
	for i := range len(s) {
		distinct[s[i]] = true
	}
	if len(distinct) <= 2 {
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

// telegramRule takes a bot's number, a colon and 35 bytes that begin with AA.
func telegramRule() detect.Rule {
	return detect.Rule{
		Kind: "TELEGRAM_TOKEN", Score: .95, Reason: "the provider's token format", Threats: threats(),
		Starts: "123456789", Max: 10 + 1 + 35 + 2,
		Match: func(text string, at int, atEOF bool) int {
			colon := detect.Digits.Run(text, at, 11)
			if colon == len(text) && colon-at < 11 && !atEOF {
				return detect.NeedMore
			}
			if colon-at < 8 || colon-at > 10 {
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
