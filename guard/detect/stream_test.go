package detect_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/guard/detect"
	"github.com/prodailabs/prodai/guard/pii"
	"github.com/prodailabs/prodai/guard/secret"
	"github.com/prodailabs/prodai/internal/growth"
)

// everything has all rules of both packages, so that the laws below hold for
// each rule.
func everything(t testing.TB) *detect.Detector {
	rules, err := pii.Rules(nil)
	require.NoError(t, err)
	loose, err := pii.Rules(&pii.Options{AnyContext: true, Kinds: append(pii.KindsNeedingContext(), pii.KindPerson)})
	require.NoError(t, err)
	secrets, err := secret.Rules(nil)
	require.NoError(t, err)
	d, err := detect.New(slices.Concat(secrets, rules, loose)...)
	require.NoError(t, err)
	return d
}

var seeds = []string{
	"mail ana.k@example.co.uk, card 4111 1111 1111 1111 and 4111111111111111.",
	"postgres://app:AgzY1JPFgwyWrG@db.example.net:5432/main; ::ffff:192.0.2.128 fe80::1 85:9c:1b:da:b9:77",
	"-----BEGIN RSA PRIVATE KEY-----\nhHqdhbxMxJvyj8LP6MlnGaFQXPKOpCmFUceI39cimyDo2BNyVkWxU4dw0ejrkNc5\n-----END RSA PRIVATE KEY-----",
	"-----BEGIN PRIVATE KEY-----\nhHqdhbxMxJvyj8LP6MlnGaFQXPKOpCmFUceI39cimyDo2BNyVkWxU4dw0ejrkNc5 then more",
	`api_key = "xK9mP2vQ7rT4wZ8n" password: hunter2Hunter2! Authorization: Bearer abc123DEF456ghi789`,
	"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJoazJnRVJHbSJ9.dEk0NFczTlpRQ1NUR3BBMHl4R3FEQ0hLSVlaNTJvc2I",
	"born on 12 March 1985, lives at 221B Baker Street, London; 12 bis rue des Lilas; Hauptstraße 5.",
	"My name is Ana Kovač. Call (555) 123-4567 or +44 20 7946 0958, Tel. 030 1234567",
	"DE89 3704 0044 0532 0130 00 and DE89370400440532013000, SSN 701-97-3466, 电话：+447946032609。",
	"RSSMRA85T10A562S 756.9217.0769.85 52998224725 529.982.247-25 12345678Z X1234567L",
	"SSN 536\u201122\u20131234, card ４１１１　１１１１　１１１１　１１１１, 手机号码：13812345678，１９２．１６８．０．１ 001b.4411.3ab7 10.0.0.1-10.0.0.9",
	"1985年3月12日出生，生年月日 昭和60年3月12日、geboren am 12. März 1985, 0049-30-123456 0917 123 4567  06 12 34 56 78",
	"passport C01X00T47 postcode SW1A 1AA routing 021000021 bc1q94c3vs4hy6cygqtz0j5lhtpj7hy9xra3sw6xr7 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
	"os.Setenv(\"API_TOKEN\", \"q7Xb2ZkV9mTn4RwYc8Hd5LsJ\") <token>\n  q7Xb2ZkV9mTn4RwYc8Hd5LsJ\n</token> curl -u \"q7Xb2ZkV9mTn4RwY:\" x; the password is Tr0ub4dor&3x! KEY=1c2d3e4f:5a6b7c8d",
	"AZURE_CLIENT_SECRET=bP88Q~q7Xb2ZkV9mTn4RwYc8Hd5LsJf3GpAu6EoK ?sr=b&sig=q7Xb2ZkV9mTn4RwYc8Hd%2Bq7Xb2ZkV9mTn4RwYc8Hd5L%3D&se=1 name: TOKEN\n  value: q7Xb2ZkV9mTn4RwYc8Hd5LsJ",
	"[[[EMAIL_1]] \xff\xfe\xe2\x82 123456789:AAabcdefghijklmnopqrstuvwxyz012345678 sk-ant-api03-abcdefgh",
}

// redactInChunks cuts text at random places, runes included.
func redactInChunks(d *detect.Detector, text string, rng *rand.Rand) (out string, longestHold int) {
	s := d.Stream(detect.Label)
	var b strings.Builder
	for text != "" {
		n := min(len(text), 1+rng.IntN(9)*rng.IntN(9))
		b.WriteString(s.Write(text[:n]))
		longestHold = max(longestHold, s.Held())
		text = text[n:]
	}
	b.WriteString(s.Close())
	return b.String(), longestHold
}

func checkStream(t *testing.T, d *detect.Detector, text string, seed uint64) {
	whole := d.Redact(text, detect.Label)
	streamed, hold := redactInChunks(d, text, rand.New(rand.NewPCG(seed, 1)))
	if whole != streamed {
		t.Fatalf("text %q, seed %d\nwhole    %q\nstreamed %q", text, seed, whole, streamed)
	}
	require.LessOrEqual(t, hold, d.MaxHold()+3)
	at := 0
	for _, f := range d.Find(text) {
		if f.Start < at || f.End <= f.Start || f.End > len(text) {
			t.Fatalf("text %q: findings out of order or bounds: %+v", text, f)
		}
		at = f.End
	}
}

func TestStreamEqualsWhole(t *testing.T) {
	d := everything(t)
	rng := rand.New(rand.NewPCG(7, 7))
	all := strings.Join(seeds, " ")
	for i := range 3000 {
		text := seeds[i%len(seeds)]
		if i%3 == 0 { // splice pieces together
			text = ""
			for range 1 + rng.IntN(6) {
				from := rng.IntN(len(all))
				text += all[from:min(len(all), from+rng.IntN(60))]
			}
		}
		checkStream(t, d, text, uint64(i))
	}
}

func FuzzStreamEqualsWhole(f *testing.F) {
	d := everything(f)
	for i, s := range seeds {
		f.Add(s, uint64(i))
	}
	f.Fuzz(func(t *testing.T, text string, seed uint64) { checkStream(t, d, text, seed) })
}

func TestStreamReportsOffsetsInTheWholeText(t *testing.T) {
	d := everything(t)
	text := strings.Repeat("filler words ", 40) + "mail ana.k@example.co.uk now " + strings.Repeat("and on ", 40) + "bob@example.org"
	var got []detect.Finding
	s := d.Stream(detect.Label).OnFinding(func(f detect.Finding) { got = append(got, f) })
	for i := range len(text) {
		s.Write(text[i : i+1])
	}
	s.Close()
	require.Equal(t, d.Find(text), got)
	require.Equal(t, "bob@example.org", got[1].Value(text))
}

// TestGrowthOfFind gives Find texts of what each rule starts on.
func TestGrowthOfFind(t *testing.T) {
	d := everything(t)
	for _, unit := range []string{"a", "1", "1 ", "a.", "a@", "@", ":", "::", "a:", "-----BEGIN RSA PRIVATE KEY-----", "eyJ", "eyJhbGci.", "http://", "a:b@", "DE89 ", "1.1.", "token=", "Bearer ", "A", "Ana ", "1 Rue ", "\xff", "é", "+1 ", "4111 "} {
		t.Run(unit, func(t *testing.T) {
			growth.Test(t, 1<<16, 3, func(n int) func() {
				text := strings.Repeat(unit, n/len(unit))
				return func() { d.Find(text) }
			})
		})
	}
}
