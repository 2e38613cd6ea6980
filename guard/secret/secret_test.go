package secret_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/slogtest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/guard/detect"
	"github.com/prodailabs/prodai/guard/secret"
)

// filler is too random for a placeholder. The tests join their tokens at run time, so that
// scanners do not report this file.
const filler = "q7Xb2ZkV9mTn4RwYc8Hd5LsJf3GpAu6EoK1iBzNvQxWtMyCr"

func TestFinds(t *testing.T) {
	d, err := secret.New(nil)
	require.NoError(t, err)
	hex := strings.Repeat("4f9a1c7e", 8)
	for _, c := range []struct{ text, want string }{
		{"ghp_" + filler[:36], "[GITHUB_PAT]"},
		{"ghp_" + filler[:37], "ghp_" + filler[:37]},
		{"AKIA" + "QZ3MZMMKMWF3BTIO", "[AWS_ACCESS_KEY]"},
		{"AKIA" + "IOSFODNN7EXAMPLE", "AKIA" + "IOSFODNN7EXAMPLE"},
		{"sk-ant-" + filler[:40], "[ANTHROPIC_KEY]"},
		{"sk-proj-" + filler, "[OPENAI_KEY]"},
		{"AIza" + filler[:35], "[GOOGLE_API_KEY]"},
		{"hf_" + filler[:34], "[HUGGINGFACE_TOKEN]"},
		{"glpat-" + filler[:20], "[GITLAB_TOKEN]"},
		{"dop_v1_" + hex, "[DIGITALOCEAN_TOKEN]"},
		{"123456789:AA" + filler[:33], "[TELEGRAM_TOKEN]"},
		{"sk_live_" + filler[:24] + ".", "[STRIPE_KEY]."},
		{"redis://:" + filler[:9] + "@cache.example.net:6379/0.", "[URL_PASSWORD]."},
		{"http://user:password@example.org/ and http://example.org/a@b:c", "http://user:password@example.org/ and http://example.org/a@b:c"},
		{`{"api_key": "` + filler[:20] + `"}`, `{"api_key": "[SECRET]"}`},
		{"DB_PASSWORD=" + filler[:12] + "\n", "DB_PASSWORD=[SECRET]\n"},
		{"Server=db;User Id=app;Password=" + filler[:14] + ";", "Server=db;User Id=app;Password=[SECRET];"},
		{"Authorization: Bearer " + filler[:30], "Authorization: Bearer [BEARER_TOKEN]"},
		{"token := scanner.Text() // password = os.Args[1]", "token := scanner.Text() // password = os.Args[1]"},
		{"password: ${DB_PASSWORD}, secret = YOUR_SECRET_123_HERE", "password: ${DB_PASSWORD}, secret = YOUR_SECRET_123_HERE"},
		{"commit 083659eda68b22f347041fef0e810e3a5da4d899", "commit 083659eda68b22f347041fef0e810e3a5da4d899"},
		// Forms of gitleaks and trufflehog.
		{"nv" + "api-" + filler + filler[:16], "[NVIDIA_KEY]"},
		{"sk-" + "lf-12345678-90ab-4cde-8f01-234567890abc", "[LANGFUSE_KEY]"},
		{"https://discord.com/api/" + "webhooks/123456789012345678/" + filler + filler[:20], "[DISCORD_WEBHOOK]"},
		{"dckr_" + "pat_" + filler[:27], "[DOCKER_TOKEN]"},
		{"PM" + "AK-" + hex[:24] + "-" + hex[:34], "[POSTMAN_KEY]"},
		{"curl -u admin:" + filler[:10] + "! https://x", "curl -u admin:[SECRET] https://x"},
		{"curl --user 'admin:" + filler[:10] + "!' https://x", "curl --user 'admin:[SECRET]' https://x"},
		{"run --password " + filler[:10] + "! now", "run --password [SECRET] now"},
		{"run --api-key " + filler[:20] + ", or -u admin:name", "run --api-key [SECRET], or -u admin:name"},
		{"the --password option, a password " + filler[:12], "the --password option, a password " + filler[:12]},
		{"sshpass -p " + filler[:10] + " ssh x; redis-cli -a '" + filler[:10] + "'; mkdir -p " + filler[:10], "sshpass -p [SECRET] ssh x; redis-cli -a '[SECRET]'; mkdir -p " + filler[:10]},
		{"machine example.org login ana password " + filler[:10], "machine example.org login ana password [SECRET]"},
		{"curl -H 'x-api-key: " + filler[:20] + "' x", "curl -H 'x-api-key: [SECRET]' x"},
		// A password may contain an ampersand; a query ends at one.
		{"password: Tr0ub4dor&3x", "password: [SECRET]"},
		{"?token=" + filler[:16] + "&page=2&token=" + filler[:16] + "&amp;x", "?token=[SECRET]&page=2&token=[SECRET]&amp;x"},
		{`password = "Tr0ub(4d;or&3x"`, `password = "[SECRET]"`},
		{"-----BEGIN PRIVATE KEY-----\\n" + filler + filler + "\\n-----END PRIVATE KEY-----\\n", "[PRIVATE_KEY]\\n"},
		{"-----BEGIN PRIVATE KEY-----\n" + filler + "\n" + filler, "[PRIVATE_KEY]"},
		{"-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----"},
		{"-----BEGIN CERTIFICATE-----\n" + filler + "\n-----END CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\n" + filler + "\n-----END CERTIFICATE-----"},
	} {
		assert.Equal(t, c.want, d.Redact(c.text, detect.Label))
		for size := 1; size < 9; size += 3 {
			s, out := d.Stream(nil), ""
			for at := 0; at < len(c.text); at += size {
				out += s.Write(c.text[at:min(len(c.text), at+size)])
			}
			assert.Equal(t, c.want, out+s.Close(), "in chunks of %d", size)
		}
	}
	_, err = secret.New(&secret.Options{Kinds: []string{"AWS"}})
	require.ErrorContains(t, err, `"AWS"`)
	require.ErrorIs(t, err, secret.ErrOption)
}

func TestADetectorOfNothingIsRefused(t *testing.T) {
	_, err := secret.New(&secret.Options{Kinds: []string{}})
	require.ErrorIs(t, err, secret.ErrOption)
	require.ErrorContains(t, err, "Options.Kinds is empty")
	rules, err := secret.Rules(&secret.Options{Kinds: []string{}})
	require.NoError(t, err, "beside the rules of other packages, none is fine")
	require.Empty(t, rules)
	_, err = secret.NewLogHandler(slog.DiscardHandler, &secret.LogHandlerOptions{Detector: &detect.Detector{}})
	require.ErrorIs(t, err, secret.ErrOption)
	require.ErrorContains(t, err, "LogHandlerOptions.Detector")
}

func TestValueNeverShowsItself(t *testing.T) {
	const plain = "s3cr3t-value"
	type holder struct {
		Name string
		Key  secret.Value
		key  secret.Value // fmt prints it without asking its methods
	}
	h := holder{"x", secret.NewValue(plain), secret.NewValue(plain)}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10s"} {
		fmt.Fprintf(&out, verb+verb+verb, h, h.Key, &h)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "key", h.Key, "holder", h)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "key", h.Key, "holder", h)
	data, err := json.Marshal(map[string]any{"a": h, "b": &h.Key})
	require.NoError(t, err)
	x, err := xml.Marshal(h.Key)
	require.NoError(t, err)
	all := out.String() + log.String() + string(data) + string(x) + fmt.Sprint(h.key)
	require.NotContains(t, all, plain)
	require.NotContains(t, strings.ToLower(all), fmt.Sprintf("%x", plain))
	require.Contains(t, all, "[REDACTED]")
	require.Equal(t, plain, h.Key.Reveal())
	require.True(t, h.Key.Equal(h.key))
	require.True(t, secret.Value{}.IsZero())

	var config struct{ Key secret.Value }
	require.NoError(t, json.Unmarshal([]byte(`{"Key":"s3cr3t-value"}`), &config))
	require.Equal(t, plain, config.Key.Reveal())
}

func TestLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(file, []byte("from file\n"), 0o600))
	env := map[string]string{"A": "direct", "B_FILE": file, "C": "x", "C_FILE": file, "D": "", "E_FILE": file + "x"}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	v, err := secret.Load(lookup, "A")
	require.NoError(t, err)
	require.Equal(t, "direct", v.Reveal())
	v, err = secret.Load(lookup, "B")
	require.NoError(t, err)
	require.Equal(t, "from file", v.Reveal())
	for name, want := range map[string]string{"C": "both C and C_FILE", "D": "set but empty", "E": "no such file", "F": "set F or F_FILE"} {
		_, err = secret.Load(lookup, name)
		if name == "E" {
			require.ErrorIs(t, err, os.ErrNotExist)
			continue
		}
		require.ErrorContains(t, err, want)
		require.Equal(t, name == "F", errors.Is(err, secret.ErrMissing))
	}
}

func TestHandlerKeepsTheRulesOfSlog(t *testing.T) {
	var buf bytes.Buffer
	slogtest.Run(t, func(*testing.T) slog.Handler {
		buf.Reset()
		h, err := secret.NewLogHandler(slog.NewJSONHandler(&buf, nil), nil)
		require.NoError(t, err)
		return h
	}, func(t *testing.T) map[string]any {
		var m map[string]any
		require.NoError(t, json.Unmarshal(buf.Bytes(), &m))
		return m
	})
}

func TestHandlerRedacts(t *testing.T) {
	token := "ghp_" + filler[:36]
	var buf bytes.Buffer
	h, err := secret.NewLogHandler(slog.NewTextHandler(&buf, nil), nil)
	require.NoError(t, err)
	log := slog.New(h).With("auth", token).WithGroup("g")
	log.Info("got "+token, "n", 7, "Api-Key", "plain", slog.Group("in", "t", token, "password", "plain"),
		"err", &url.Error{Op: "Get", URL: "https://u:" + filler[:9] + "@example.org", Err: errors.New("refused")},
		"struct", struct{ T string }{token})
	out := buf.String()
	for _, never := range []string{token, "plain", filler[:9]} {
		require.NotContains(t, out, never)
	}
	for _, want := range []string{"got [GITHUB_PAT]", "auth=[GITHUB_PAT]", "g.n=7", "g.Api-Key=[REDACTED]", "g.in.password=[REDACTED]", "[URL_PASSWORD]", "refused"} {
		require.Contains(t, out, want)
	}
	_, err = secret.NewLogHandler(nil, nil)
	require.ErrorIs(t, err, secret.ErrOption)
	_, err = secret.Load(nil, "API_KEY")
	require.ErrorIs(t, err, secret.ErrOption)
}

// BenchmarkWorst measures texts of 1,000 characters in which many values seem to begin.
func BenchmarkWorst(b *testing.B) {
	d, err := secret.New(nil)
	require.NoError(b, err)
	for _, unit := range []string{"token=", "token=aB1", "a:", "https://", "\"token\", \"aB1\", "} {
		text := strings.Repeat(unit, 1000/len(unit))
		b.Run(unit, func(b *testing.B) {
			for b.Loop() {
				d.Find(text)
			}
		})
	}
}
