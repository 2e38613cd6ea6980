package secret_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/guard/detect"
	"github.com/prodailabs/prodai/guard/secret"
)

// assignments are texts that give a secret to its name: declarations, configuration files,
// commands, sentences. V is the value.
var assignments = []string{
	// Declarations with a type.
	`var apiToken string = "V"`, `const apiToken: string = "V"`, `val apiToken: String = "V"`, `let apiToken: &'static str = "V";`,
	`api_token: str = "V"`, `api_token: Optional[str] = 'V'`, `api_token: Final[str] = "V"`, `let token: string | undefined = "V"`,
	`char apiToken[] = "V";`, `const char *apiToken = "V";`, `Dim apiToken As String = "V"`, `v_password VARCHAR2(30) := 'V';`,
	`private static final String API_TOKEN = "V";`, `token := []byte("V")`, `api_key = SecretStr("V")`, `api_key=b"V"`, `string apiToken = @"V";`,
	// Operators.
	`API_TOKEN ?= V`, `$apiToken .= "V";`, `API_TOKEN ::= V`, `API_TOKEN :::= "V"`, `API_TOKEN += V`, `$apiToken ??= 'V'`, `apiToken ||= "V"`,
	`token = os.environ.get("API_TOKEN") or "V"`, `const token = process.env.API_TOKEN || "V"`, `const token = process.env.API_TOKEN ?? 'V'`,
	`if (password == "V")`, "apiToken =\n    \"V\"", `'api_token' => 'V',`, `"api_token" : "V"`, `{\"api_token\": \"V\"}`, `api_token:'V'`,
	`ENV['API_TOKEN'] = 'V'`, `config["db"]["password"] = "V"`,
	// Calls.
	`os.Setenv("API_TOKEN", "V")`, `System.setProperty("db.password", "V");`, `define('API_TOKEN', 'V');`, `conf.set("auth", "token", "V")`,
	`setenv(API_TOKEN, "V")`, `client.setPassword("V")`, `.withApiKey("V")`, `Password("V")`, `set :api_token, 'V'`, `getOrDefault("api_token", "V")`,
	// XML and HTML.
	`<apiToken>V</apiToken>`, "<api-token>\n    V\n</api-token>", `<password encrypted="false">V</password>`, `<user name="ana" password="V"/>`,
	`<add key="ApiToken" value="V" />`, `<entry name="db.password" value='V'/>`, "<key>apiToken</key>\n  <string>V</string>",
	// JSON and YAML pairs, YAML blocks.
	`{"name": "API_TOKEN", "value": "V"}`, "- name: API_TOKEN\n  value: \"V\"", "- name: API_TOKEN\n  value: V", "api_token: |\n  V", "api_token: >-\n  V",
	// Commands and files of commands.
	`run --api-key V`, `run --api-key=V`, `run --password 'V'`, `run -token "V"`, `ENV API_TOKEN V`, `ENV API_TOKEN=V`, `ARG API_TOKEN=V`, `setenv API_TOKEN V`,
	`set -x API_TOKEN V`, `export API_TOKEN=V`, `java -Ddb.password=V Main`, `CREATE USER ana IDENTIFIED BY 'V'`, `ALTER ROLE ana WITH PASSWORD 'V'`,
	`curl -u ana:V https://x`, `curl -u "ana:V" https://x`, `curl -u 'ana:V' https://x`, `curl -u :V https://x`, `curl --user=ana:V https://x`,
	"curl https://x \\\n  -u ana:V", `curl -u "V:" https://x`, `curl -u V: https://x`, `curl --user 'ana':'V' https://x`, `curl -H "X-Api-Key: V"`, `curl -H 'Token: V'`, `curl -H "Authorization: Token V"`,
	`curl -H 'Authorization: ApiKey V'`, `curl -H "Authorization: V"`,
	// Sentences.
	`my api key is V`, `My API key is: V`, `the password is V.`, `the admin password was "V", I think`, "use this access token: V", `Please set the password to V`,
	`the token is` + " `V`", `das Passwort ist V`, `Passwort: V`, `mot de passe : V`, `contraseña: V`,
	// Names with more after the word.
	`API_TOKEN_PROD=V`, `mySecretString = "V"`, `refresh_token1: "V"`, `some_api_token_123 = "V"`, `DB_PASS=V`, `smtpPass = "V"`, `SECRET_KEY_BASE=V`, `"user_auth": "V"`, `creds = V`,
	`HEROKU_KEY = "V"`,
}

// values are secrets of several forms.
var values = map[string]string{
	"base 62": filler[:24],
	"hex":     "7f3a" + "c91e04b85d62f8a1b3c7",
	"UUID":    "8f14e45f-" + "ceea-467a-9575-a3c1b2d4e6f7",
}

func TestAssignments(t *testing.T) {
	d, err := secret.New(nil)
	require.NoError(t, err)
	for kind, value := range values {
		for _, form := range assignments {
			text := strings.ReplaceAll(form, "V", "\x00")
			text = strings.ReplaceAll(text, "\x00ARCHAR", "VARCHAR")
			text = strings.ReplaceAll(text, "EN\x00", "ENV")
			require.Equal(t, 1, strings.Count(text, "\x00"), form)
			text = strings.ReplaceAll(text, "\x00", value)
			at := strings.Index(text, value)
			found := d.Find(text)
			if assert.Len(t, found, 1, "%s: %s", kind, text) {
				assert.Equal(t, [2]int{at, at + len(value)}, [2]int{found[0].Start, found[0].End}, text)
			}
			sameInChunks(t, d, text)
		}
	}
}

// sameInChunks checks that a stream returns the same text as Redact.
func sameInChunks(t *testing.T, d *detect.Detector, text string) {
	t.Helper()
	for size := 1; size < 9; size += 3 {
		s, out := d.Stream(nil), ""
		for at := 0; at < len(text); at += size {
			out += s.Write(text[at:min(len(text), at+size)])
		}
		assert.Equal(t, d.Redact(text, nil), out+s.Close(), "in chunks of %d", size)
	}
}

// Values without quotes as .env files have them.
func TestUnquotedValues(t *testing.T) {
	d, err := secret.New(nil)
	require.NoError(t, err)
	for _, value := range []string{
		"bP8" + "8Q~mKx2vLw9Rt4Zn7Hc1Jd5Fs3Gb6Yk0Tq8We",  // Microsoft Entra ID
		"x9Kq.7mZ2" + "vLw8Rt4.n3Hc6Jd1Fs5",              // with full stops
		"dGhpc0lzQVRlc3Q" + "4Zm9yVGhlRGV0ZWN0b3I5MQ==",  // base64
		"pat.kf93mz0qlw7rtx21bvn8sy." + "4hd7sk20fjw9xq", // parts
		"k1c2d3e4:" + "f5a6b7c8",                         // two halves
		"Xk29mQz8&tail" + "7!",                           // & and !
	} {
		for _, form := range []string{"AZURE_CLIENT_SECRET=", "client_secret: ", "API_TOKEN = ", "export DB_PASSWORD="} {
			text := form + value + "\nNEXT=1"
			found := d.Find(text)
			if assert.Len(t, found, 1, text) {
				assert.Equal(t, value, found[0].Value(text))
			}
			sameInChunks(t, d, text)
		}
	}
}

// Texts in which nothing is a secret.
func TestNoSecrets(t *testing.T) {
	d, err := secret.New(nil)
	require.NoError(t, err)
	for _, text := range []string{
		`var token string = cfg.Token2(x)`, `password := os.Getenv("DB_PASSWORD2")`, `password = config.Database2.Password`, `api_key = self.settings.key_v2`,
		`token: str = field(default="")`, `func(token string, max2 int)`, `os.Setenv("PATH", "/usr/local/go1.26/bin")`, `getToken("user-session")`,
		`strings.HasPrefix(token, "sk-proj-1a")`, `t.Run("password", "user2 signs in")`, `the password is 8 characters long`, `the token is user_id2`,
		`the api key is not set in version 1.2.3-beta4`, `my password is too_short_12`, `the secret to good code is testing2day`, `what is a password?`,
		`The password is stored in /etc/app/v2/secrets`, `token is expired after 3600s`, `max_tokens: 4096`, `next_page_token = "CAUQAA8f3k2Lm9"`,
		`csrf_token: "x9Kq7mZ2vLw8Rt4"`, `public_key = "x9Kq7mZ2vLw8Rt4n3Hc6Jd1"`, `primary_key = "x9Kq7mZ2vLw8Rt4n3Hc6Jd1"`, `PUBLIC_KEY=x9Kq7mZ2vLw8Rt4n3Hc6Jd1`,
		`secret: arn:aws:secretsmanager:us-east-1:123456789012:secret:app-x9Kq7m`, `password: vault:secret/data/app1#key2`, `secretName: app-v2-tls-2024`,
		`<token>access_token</token>`, `<password>${DB_PASSWORD1}</password>`, `ENV PATH /usr/lib/jvm/java-17`, `ENV TOKEN_FILE /run/secrets/t1`,
		`run --password-file /run/secrets/db1`, `curl -u "$USER1:$PASS1" https://x`, `curl -u user:password1 https://x`, `bypass = "x9Kq7mZ2"`, `compass: x9Kq7mZ2`,
		`{"name": "REGION", "value": "eu-west-1a2"}`, `author: "x9Kq7mZ2vLw8"`, `api_token = `, "API_TOKEN=\nNEXT_VALUE1=x2y3z4", `<key>version</key><string>1.2.3-rc4</string>`,
		`Authorization: required2`, `Authorization: Bearer token`, `my api key is sk-...`, `keyboard_key = "x9Kq7mZ2vLw8Rt4n3Hc6Jd1"`,
		"node.token = lfTokenCloseGroup", "pass the token to InitSecContext", "clientCreds := NewClientCreds(x)", "secret := []byte(\"123456789012345678901234\")",
		"authorization: request2.Header2.Get", "AccountSecret *AccountSecret `protobuf:\"bytes,13,opt,name=account_secret,proto3\"`", `Auth: "atpass:foo%40bar"`,
		`got "server-invalid-token-1", want token "server-valid-token-1"`, `<input type="hidden" name="authenticity_token" value="7SWa-Fo1_hsC6oovfBsJFLGPUl2EhkSWPbJhWANwgaJ">`,
		"{hexKey: hexPKCS8TestPKCS1Key, errorContains",
		`What does the token "Ġthe" mean in GPT-2?`, `import { token } from "./auth2Lib"`, `The tokenizer's vocab key is model.embed_tokens.weight2`,
	} {
		assert.Empty(t, d.Find(text), text)
		sameInChunks(t, d, text)
	}
}

// One token of each form that a provider publishes, made of filler.
func TestProviderForms(t *testing.T) {
	d, err := secret.New(nil)
	require.NoError(t, err)
	hex := strings.Repeat("4f9a1c7e", 20)
	low := strings.ToLower(filler + filler + filler)
	long := filler + filler + filler + filler + filler
	up := strings.ToUpper(filler + filler)
	b32 := strings.Map(func(r rune) rune {
		if r < '2' || r > '7' && r < 'A' {
			return 'Q'
		}
		return r
	}, up)
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
	jwt := "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJoazJnRVJHbSJ9." + "dEk0NFczTlpRQ1NUR3BBMHl4R3FEQ0hLSVlaNTJvc2I"
	uuid := values["UUID"]
	for kind, texts := range map[string][]string{
		"TELEGRAM_TOKEN":     {"123456789:AA" + filler[:33], "bot123456789:AA" + filler[:33]},
		secret.KindJWT:       {jwt, base64.StdEncoding.EncodeToString([]byte(jwt)), base64.RawURLEncoding.EncodeToString([]byte(jwt)), header + ".eyJzdWIiOiJoazJnRVJHbSJ9."},
		"HUGGINGFACE_TOKEN":  {"api_" + "org_" + filler[:34]},
		"AZURE_SECRET":       {"bP8" + "8Q~" + filler[:34]},
		"AZURE_SAS":          {"sig=" + filler[:43] + "%3D", "sig=" + filler[:20] + "%2B" + filler[:22] + "%3D", "sig=" + filler[:43]},
		"FACEBOOK_TOKEN":     {"EAA" + "M" + long[:120], "1308742762612587|" + filler[:27]},
		"SOURCEGRAPH_TOKEN":  {"sgp_" + hex[:40], "sgp_" + hex[:16] + "_" + hex[:40], "sgp_local_" + hex[:40], "slk_" + hex[:64]},
		"AWS_ACCESS_KEY":     {"ABIA" + b32[:16], "ACCA" + b32[:16], "AKIA" + b32[:16]},
		"BEDROCK_KEY":        {"ABSK" + long[:128]},
		"SLACK_TOKEN":        {"xoxe.xoxp-1-" + long[:160], "xoxe-1-" + long[:146], "xoxb-" + filler},
		"SLACK_WEBHOOK":      {"https://hooks.slack.com/" + "services/T" + filler[:40], "https://hooks.slack.com/" + "workflows/T" + filler[:40], "https://hooks.slack.com/" + "triggers/T" + filler[:40]},
		"TEAMS_WEBHOOK":      {"https://acme.webhook.office.com/" + "webhookb2/" + uuid + "@" + uuid + "/IncomingWebhook/" + hex[:32] + "/" + uuid},
		"DISCORD_WEBHOOK":    {"https://discord.com/api/" + "webhooks/123456789012345678/" + long[:68]},
		"ALIBABA_KEY":        {"LTAI" + filler[:20], "LTAI5t" + filler[:18]},
		"NVIDIA_KEY":         {"nv" + "api-" + long[:64]},
		"TAVILY_KEY":         {"tvly-dev-" + filler[:32]},
		"LANGFUSE_KEY":       {"sk-" + "lf-" + uuid},
		"DOCKER_TOKEN":       {"dckr_" + "pat_" + filler[:27]},
		"POSTMAN_KEY":        {"PM" + "AK-" + hex[:24] + "-" + hex[:34]},
		"GITLAB_TOKEN":       {"glpat-" + filler[:20], "glptt-" + hex[:40], "GR1348941" + filler[:20], "glcbt-1f_" + filler[:20], "gloas-" + hex[:64], "glsoat-" + filler[:20], "glft-" + filler[:20], "glimt-" + filler[:25], "glagent-" + long[:50], "glffct-" + filler[:20]},
		"AIRTABLE_TOKEN":     {"pat" + filler[:14] + "." + hex[:64]},
		"HEROKU_KEY":         {"HRKU-AA" + long[:58]},
		"GRAFANA_TOKEN":      {"glsa_" + filler[:32] + "_" + hex[:8], "glc_" + long[:60] + "="},
		"ONEPASSWORD_KEY":    {"A3-" + "K2M9QX-7RTWZ8-NB3CD-5FG6H-J1KL0-SA9QW", "ops_eyJ" + long[:240]},
		"CLOUDFLARE_KEY":     {"v1.0-" + hex[:24] + "-" + hex[:146]},
		"EASYPOST_KEY":       {"EZAK" + long[:54], "EZTK" + long[:54]},
		"HARNESS_TOKEN":      {"pat." + filler[:22] + "." + hex[:24] + "." + filler[:20], "sat." + filler[:22] + "." + hex[:24] + "." + filler[:20]},
		"DUFFEL_TOKEN":       {"duffel_live_" + filler[:43], "duffel_test_" + filler[:43]},
		"SHIPPO_TOKEN":       {"shippo_live_" + hex[:40]},
		"SENTRY_TOKEN":       {"sntryu_" + hex[:64], "sntrys_eyJ" + long[:150] + "_" + filler[:43]},
		"PULUMI_TOKEN":       {"pul-" + hex[:40]},
		"RUBYGEMS_KEY":       {"rubygems_" + hex[:48]},
		"SCALINGO_TOKEN":     {"tk-us-" + long[:48]},
		"BREVO_KEY":          {"xkeysib-" + hex[:64] + "-" + low[:16]},
		"README_KEY":         {"rdme_" + low[:70]},
		"PREFECT_KEY":        {"pnu_" + low[:36]},
		"PLANETSCALE_TOKEN":  {"pscale_tkn_" + filler[:40], "pscale_pw_" + filler[:40], "pscale_oauth_" + filler[:40]},
		"PLAID_TOKEN":        {"access-sandbox-" + uuid, "access-production-" + uuid},
		"NEWRELIC_KEY":       {"NRAK-" + up[:27], "NRII-" + filler[:32], "NRJS-" + hex[:19]},
		"TYPEFORM_TOKEN":     {"tfp_" + low[:44] + "_" + low[:14]},
		"MAILGUN_KEY":        {"key-" + hex[:32]},
		"FLYIO_TOKEN":        {"fo1_" + filler[:43], "fm2_" + long[:120]},
		"FLUTTERWAVE_KEY":    {"FLWSECK-" + hex[:32] + "-X", "FLWSECK_TEST-" + hex[:32] + "-X"},
		"INFRACOST_KEY":      {"ico-" + filler[:32]},
		"OCTOPUS_KEY":        {"API-" + up[:26]},
		"OPENSHIFT_TOKEN":    {"sha256~" + filler[:43]},
		"DYNATRACE_TOKEN":    {"dt0c01." + up[:24] + "." + up[:64]},
		"CLOJARS_TOKEN":      {"CLOJARS_" + hex[:60]},
		"ADOBE_SECRET":       {"p8e-" + filler[:32]},
		"INTRA42_SECRET":     {"s-s4t2ud-" + hex[:64], "s-s4t2af-" + hex[:64]},
		"SETTLEMINT_TOKEN":   {"sm_pat_" + filler[:16], "sm_aat_" + filler[:16], "sm_sat_" + filler[:16]},
		"SHOPIFY_TOKEN":      {"shpat_" + hex[:32], "shpca_" + hex[:32], "shppa_" + hex[:32]},
		"CONTENTFUL_TOKEN":   {"CFPAT-" + filler[:43]},
		"FIGMA_TOKEN":        {"figd_" + filler[:40]},
		"TERRAFORM_TOKEN":    {filler[:14] + ".atlasv1." + long[:64]},
		"SONAR_TOKEN":        {"squ_" + hex[:40], "sqp_" + hex[:40], "sqa_" + hex[:40]},
		"YANDEX_KEY":         {"AQVN" + filler[:36], "YC" + filler[:38]},
		"NETLIFY_TOKEN":      {"nfp_" + filler[:36]},
		"BITBUCKET_TOKEN":    {"ATBB" + filler[:32]},
		"MAPBOX_TOKEN":       {"sk.eyJ" + filler[:44] + "." + filler[:22]},
		"VOYAGE_KEY":         {"pa-" + filler[:43]},
		"LLAMACLOUD_KEY":     {"llx-" + filler},
		"CEREBRAS_KEY":       {"csk-" + filler},
		"DEFINED_TOKEN":      {"dnkey-" + up[:26] + "-" + long[:52]},
		"LAUNCHDARKLY_KEY":   {"sdk-" + uuid},
		"VAULT_TOKEN":        {"hvs." + filler[:24], "hvb." + long[:140]},
		"ATLASSIAN_TOKEN":    {"ATATT3xFfGF0" + long[:180]},
		"SENDGRID_KEY":       {"SG." + filler[:22] + "." + filler[:43]},
		"DATABRICKS_TOKEN":   {"dapi" + hex[:32], "dapi" + hex[:32] + "-2"},
		"DIGITALOCEAN_TOKEN": {"dop_v1_" + hex[:64], "doo_v1_" + hex[:64], "dor_v1_" + hex[:64]},
		"GOOGLE_OAUTH":       {"GOCSPX-" + filler[:28]},
		"LINEAR_KEY":         {"lin_api_" + filler[:40]},
		"ARTIFACTORY_KEY":    {"AKCp" + long[:69], "cmVmdGtu" + long[:56]},
	} {
		for _, value := range texts {
			text := "see " + value + ", please"
			if kind == "AZURE_SAS" {
				text = "https://acme.blob.core.windows.net/a?sv=2024-11-04&sr=b&" + value + ", please"
			}
			found := d.Find(text)
			if assert.Len(t, found, 1, "%s: %s", kind, text) {
				assert.Equal(t, kind, found[0].Kind, text)
				assert.Contains(t, value, found[0].Value(text))
				assert.Contains(t, text, found[0].Value(text)+", please", "to the end of the value")
			}
			sameInChunks(t, d, text)
			if kind != "SLACK_TOKEN" && kind != "VAULT_TOKEN" { // their lengths differ much
				assert.Empty(t, d.Find("see "+value[:len(value)/2]), "a half is none: %s", kind)
			}
		}
	}
}
