package pii_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/guard/detect"
	"github.com/prodailabs/prodai/guard/pii"
	"github.com/prodailabs/prodai/guard/secret"
	"github.com/prodailabs/prodai/internal/golden"
)

// goldenDetector has exactly the fifteen kinds of the golden rows enabled.
func goldenDetector(t testing.TB) *detect.Detector {
	personal, err := pii.Rules(&pii.Options{AnyContext: true, Kinds: []string{pii.KindEmail, pii.KindCreditCard, pii.KindIBAN, pii.KindUSSSN, pii.KindUKNHS, pii.KindIPv4, pii.KindIPv6, pii.KindMAC, pii.KindPhoneE164}})
	require.NoError(t, err)
	secrets, err := secret.Rules(&secret.Options{Kinds: []string{"AWS_ACCESS_KEY", "GITHUB_PAT", "SLACK_TOKEN", secret.KindJWT, secret.KindPrivateKey, secret.KindURLPassword}})
	require.NoError(t, err)
	d, err := detect.New(slices.Concat(secrets, personal)...)
	require.NoError(t, err)
	require.Len(t, d.Kinds(), 15)
	return d
}

func TestGoldenPII(t *testing.T) {
	d := goldenDetector(t)
	type span struct {
		Type      string `json:"type"`
		StartByte int    `json:"start_byte"`
		EndByte   int    `json:"end_byte"`
		StartRune int    `json:"start_rune"`
		EndRune   int    `json:"end_rune"`
		Value     string `json:"value"`
	}
	golden.Rows(t, "guard", "pii.jsonl", func(row struct {
		Text  string
		Spans []span
	}) error {
		got := []span{}
		for _, f := range d.Find(row.Text) {
			start := utf8.RuneCountInString(row.Text[:f.Start])
			got = append(got, span{f.Kind, f.Start, f.End, start, start + utf8.RuneCountInString(f.Value(row.Text)), f.Value(row.Text)})
		}
		if !slices.Equal(got, row.Spans) {
			return fmt.Errorf("got %+v, want %+v", got, row.Spans)
		}
		return nil
	})
}

func TestGoldenStreamRedact(t *testing.T) {
	d := goldenDetector(t)
	golden.Rows(t, "guard", "stream_redact.jsonl", func(row struct {
		Chunks   [][]byte `json:"chunks_b64"`
		Expected string
		Never    []string
	}) error {
		s := d.Stream(detect.Label)
		out := ""
		for i := range len(row.Chunks) + 1 {
			if i < len(row.Chunks) {
				out += s.Write(string(row.Chunks[i]))
			} else {
				out += s.Close()
			}
			if !strings.HasPrefix(row.Expected, out) {
				return fmt.Errorf("after chunk %d: %q is no prefix of %q", i, out, row.Expected)
			}
			if !utf8.ValidString(out) {
				return fmt.Errorf("after chunk %d a rune is cut", i)
			}
			for _, v := range row.Never {
				if strings.Contains(out, v) {
					return fmt.Errorf("%q leaked", v)
				}
			}
		}
		if out != row.Expected {
			return fmt.Errorf("got %q, want %q", out, row.Expected)
		}
		return nil
	})
}
