package pii_test

import (
	"fmt"
	"io/fs"
	"net/mail"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/guard/detect"
	"github.com/prodailabs/prodai/guard/pii"
	"github.com/prodailabs/prodai/guard/secret"
)

func TestFinds(t *testing.T) {
	d, err := pii.New(nil)
	require.NoError(t, err)
	for _, c := range []struct{ text, want string }{
		{"mail ana.o'hara+x@sub.example.co.uk.", "mail [EMAIL]."},
		{"- ana@example.org", "- [EMAIL]"},
		{"mailto:ana@example.org?subject=x", "mailto:[EMAIL]?subject=x"},
		{"ana@example.org.md and ana@example.org.", "[EMAIL].md and [EMAIL]."},
		{"icon@2x.png and user@host and @ana", "icon@2x.png and user@host and @ana"},
		{"Card: 4111 1111 1111 1111, 3782-822463-10005", "Card: [CREDIT_CARD], [CREDIT_CARD]"},
		{"4111 1111 1111 1112", "4111 1111 1111 1112"},
		{"0.4111111111111111 and 2251799813685251", "0.4111111111111111 and [CREDIT_CARD]"},
		{"DE89 3704 0044 0532 0130 00", "[IBAN]"},
		{"GB82WEST12345698765432", "[IBAN]"},
		{"GB82WEST12345698765433", "GB82WEST12345698765433"},
		{"call (555) 123-4567 or 555-123-4567 or +44 20 7946 0958", "call [PHONE] or [PHONE] or [PHONE]"},
		{"Tel. 030 1234567, room 030 1234567", "Tel. [PHONE], room 030 1234567"},
		{"at 10.0.0.1:8080, 10.0.0.1/8, v1.2.3.4.5, 256.1.1.1", "at [IPV4]:8080, [IPV4]/8, v1.2.3.4.5, 256.1.1.1"},
		{"fe80::1, ::1. at 12:30:45 std::dec a::b", "[IPV6], [IPV6]. at 12:30:45 std::dec a::b"},
		{"00-1B-44-11-3A-B7", "[MAC]"},
		{"born on 12 March 1985, date of birth: 1985-03-12, DOB 03/12/1985", "born on [DATE_OF_BIRTH], date of birth: [DATE_OF_BIRTH], DOB [DATE_OF_BIRTH]"},
		{"geboren am 12.3.1985, released on 12 March 1985", "geboren am [DATE_OF_BIRTH], released on 12 March 1985"},
		{"lives at 221B Baker Street, London", "lives at [STREET_ADDRESS], London"},
		{"12 bis rue des Lilas, Hauptstraße 5, Calle de Alcalá 12", "[STREET_ADDRESS], [STREET_ADDRESS], [STREET_ADDRESS]"},
		{"12 angry men in 3 days", "12 angry men in 3 days"},
		{"NHS 943 476 5919, order 9434765919", "NHS [UK_NHS], order 9434765919"},
	} {
		assert.Equal(t, c.want, d.Redact(c.text, detect.Label))
	}
}

// Values from public reports: with separators of Unicode, without separators, with
// invisible characters, in small letters, of countries that joined later. Some only look
// like values.
func TestReportedForms(t *testing.T) {
	d, err := pii.New(nil)
	require.NoError(t, err)
	for _, c := range []struct{ text, want string }{
		// philterd/phileas#385, DAM#10, Rizzo-pii#58.
		{"card 4111\u00a01111\u00a01111\u00a01111.", "card [CREDIT_CARD]."},
		{"card 4111\u20111111\u20111111\u20111111", "card [CREDIT_CARD]"},
		{"card 4111.1111.1111.1111.", "card [CREDIT_CARD]."},
		{"card 4111\u200b1111 1111\u200d1111\u200b", "card 4111\u200b1111 1111\u200d1111\u200b"}, // groups of one kind only
		{"card 4111\u200b1111\u200b1111\u200b1111 x", "card [CREDIT_CARD] x"},
		{"IBAN DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000", "IBAN [IBAN]"},
		{"IBAN DE89-3704-0044-0532-0130-00, DE89.3704.0044.0532.0130.00.", "IBAN [IBAN], [IBAN]."},
		{"card 4111\u00b71111\u00b71111\u00b71111, 4111\u202f1111\u202f1111\u202f1111", "card [CREDIT_CARD], [CREDIT_CARD]"},
		{"Tel. 030\u201312345678, (555)\u00a0123\u20114567", "Tel. [PHONE], [PHONE]"},
		{"SSN 536\u201122\u20111234, 536\u201322\u20131234", "SSN [US_SSN], [US_SSN]"},
		{"SSN 536.22.1234", "SSN [US_SSN]"},
		{"my social security number is 536221234", "my social security number is [US_SSN]"},
		{"My SSN is 078 05 1120", "My SSN is [US_SSN]"},
		{"order 536221234, 536.22.1234, 536 22 1234", "order 536221234, 536.22.1234, 536 22 1234"},
		{"call +1\u2011212\u2011555\u20110147", "call [PHONE]"},
		{"Tel. 030/12345678, Telefon: 0211 / 5", "Tel. [PHONE], Telefon: 0211 / 5"},
		{"on 12/03/2020 or 030/12345678", "on 12/03/2020 or 030/12345678"},
		// DAM#12, RFC 6531.
		{"mail ana\u200b@example.org or ana@exam\u200bple.org\u200b.", "mail [EMAIL] or [EMAIL]\u200b."},
		{"mail josé@exämple.de, élan@пример.рф", "mail [EMAIL], [EMAIL]"},
		{"联系ana@example.org。“ana@example.org”", "联系[EMAIL]。“[EMAIL]”"},
		// SWIFT's registry; presidio#2078.
		{"DJ2100010000000154000100186 BI4210000100010000332045181", "[IBAN] [IBAN]"},
		{"NI45BAPR00000013000003558124 MN121234123456789123", "[IBAN] [IBAN]"},
		{"RU0304452522540817810538091310419 YE15CBYE0001018861234567891234 OM810180000001299123456", "[IBAN] [IBAN] [IBAN]"},
		{"iban: gb29nwbk60161331926819, id gb29nwbk60161331926819", "iban: [IBAN], id gb29nwbk60161331926819"},
		{"card 2200000000000004", "card [CREDIT_CARD]"},
		{"hosts 10.0.0.1-10.0.0.9, 10.0.0.1–10.0.0.9, v1.2.3.4-5 1.2.3.4-beta", "hosts [IPV4]-[IPV4], [IPV4]–[IPV4], v1.2.3.4-5 1.2.3.4-beta"},
		{"clone git@github.com:foo/bar.git or mail git@github.com: now", "clone git@github.com:foo/bar.git or mail [EMAIL]: now"},
		{"Personnummer: 198712202384", "Personnummer: [SE_PNR]"},
		{"DNI 12345678z", "DNI [ES_DNI]"},
		{"TELEMETRY=110201543, cellular modem 0612345678, hotel 0612345678", "TELEMETRY=110201543, cellular modem 0612345678, hotel 0612345678"},
		{"phone_number=0612345678, Telefonnummer 0612345678", "phone_number=[PHONE], Telefonnummer [PHONE]"},
		{"FF:FF:FF:FF:FF:FF 00-00-00-00-00-00", "FF:FF:FF:FF:FF:FF 00-00-00-00-00-00"},
	} {
		assert.Equal(t, c.want, d.Redact(c.text, detect.Label))
		for size := 1; size < 5; size++ {
			s := d.Stream(nil)
			out := ""
			for at := 0; at < len(c.text); at += size {
				out += s.Write(c.text[at:min(len(c.text), at+size)])
			}
			assert.Equal(t, c.want, out+s.Close(), "in chunks of %d", size)
		}
	}
}

// TestNationalIDs tests one number of each kind, a published specimen or a constructed one.
// It also tests the same number with one digit changed.
func TestNationalIDs(t *testing.T) {
	for kind, number := range map[string]string{
		pii.KindUSSSN: "219-09-9999", pii.KindUSITIN: "912-70-1234", pii.KindUKNHS: "9434765919", pii.KindUKNINO: "AB123456C",
		pii.KindDETaxID: "86095742719", pii.KindFRNIR: "255081416802538", pii.KindESDNI: "12345678Z", pii.KindITCF: "RSSMRA85T10A562S",
		pii.KindNLBSN: "111222333", pii.KindPLPESEL: "44051401359", pii.KindSEPNR: "811228-9874", pii.KindNOFNR: "13097248022",
		pii.KindDKCPR: "070761-4285", pii.KindFIHETU: "131052-308T", pii.KindBENRN: "85.07.30-033.28", pii.KindCHAHV: "756.9217.0769.85",
		pii.KindIEPPS: "1234567T", pii.KindBRCPF: "52998224725", pii.KindCASIN: "130692544", pii.KindAUTFN: "123456782",
		pii.KindINAadhaar: "2341 2341 2346", pii.KindCNResident: "11010519491231002X", pii.KindKRRRN: "640708-1011142", pii.KindSGNRIC: "S1234567D",
		pii.KindZAID: "8001015009087", pii.KindTRID: "55807302178", pii.KindINGSTIN: "27AAPFU0939F1ZV", pii.KindUSNPI: "1234567893",
		pii.KindAUMedicare: "3642621241", pii.KindAUABN: "51 824 753 556", pii.KindAUACN: "004 085 616", pii.KindDERVNR: "15070649C103",
		pii.KindTHID: "8-2200-33224-53-0",
	} {
		d, err := pii.New(&pii.Options{Kinds: []string{kind}, AnyContext: true})
		require.NoError(t, err)
		assert.Equal(t, "is ["+kind+"].", d.Redact("is "+number+".", detect.Label), kind)
		assert.NotContains(t, d.Redact("x"+number, detect.Label), "[", kind)
		if kind == pii.KindUKNINO || kind == pii.KindUSSSN || kind == pii.KindUSITIN || kind == pii.KindDKCPR {
			continue // no check digit
		}
		i := strings.IndexAny(number, "0123456789")
		changed := number[:i] + string('0'+(number[i]-'0'+1)%10) + number[i+1:]
		assert.Equal(t, "is "+changed, d.Redact("is "+changed, detect.Label), kind)
		if slices.Contains(pii.KindsNeedingContext(), kind) {
			d, err := pii.New(&pii.Options{Kinds: []string{kind}})
			require.NoError(t, err)
			assert.Equal(t, "is "+number, d.Redact("is "+number, detect.Label), kind)
		}
	}
}

func TestUnknownKind(t *testing.T) {
	_, err := pii.New(&pii.Options{Kinds: []string{"EMAILS"}})
	require.ErrorContains(t, err, `"EMAILS"`)
	require.ErrorIs(t, err, pii.ErrOption)
}

func TestADetectorOfNothingIsRefused(t *testing.T) {
	_, err := pii.New(&pii.Options{Kinds: []string{}})
	require.ErrorIs(t, err, pii.ErrOption)
	require.ErrorContains(t, err, "Options.Kinds is empty")
	rules, err := pii.Rules(&pii.Options{Kinds: []string{}})
	require.NoError(t, err, "beside the rules of other packages, none is fine")
	require.Empty(t, rules)
}

// TestPersonLimits shows which names the list of given names and the introductions find,
// and which they miss.
func TestPersonLimits(t *testing.T) {
	d, err := pii.New(&pii.Options{Kinds: []string{pii.KindPerson}})
	require.NoError(t, err)
	found := func(names []string, frame string) (n int) {
		for _, name := range names {
			text := fmt.Sprintf(frame, name)
			if f := d.Find(text); len(f) == 1 && f[0].Value(text) == name {
				n++
			}
		}
		return n
	}
	listed := []string{"Ana Kovač", "Peter O'Neill", "Maria Garcia", "Jean Dupont", "Wei Zhang", "Priya Raman", "Thomas Müller", "Fatima Haddad"}
	foreign := []string{"Oluwatamilore Adeyemi", "Nguyễn Thảo", "Zephrinella Jónsdóttir", "Quorlan Wrexley", "Bogumysł Zdziarski"}
	require.Equal(t, len(listed), found(listed, "The parcel went to %s yesterday."))
	require.Equal(t, 0, found(foreign, "The parcel went to %s yesterday."))
	require.Equal(t, len(foreign), found(foreign, "The parcel went to Dr. %s yesterday."))
	for text, want := range map[string]string{
		"Dear Quorlan,\nthank you": "Dear [PERSON],\nthank you", "Hi Quorlan Wrexley - see below": "Hi [PERSON] - see below", "Sehr geehrte Frau Wrexley, ": "Sehr geehrte Frau [PERSON], ",
		"Best regards,\nQuorlan Wrexley\nAcme": "Best regards,\n[PERSON]\nAcme", "Thanks, Quorlan J. Wrexley": "Thanks, [PERSON]", "Viele Grüße\nQuorlan": "Viele Grüße\n[PERSON]",
		"my name is Quorlan van der Wrexley.": "my name is [PERSON].", "Patient: Quorlan Wrexley, 40": "Patient: [PERSON], 40", "Miss Wrexley's bag": "Miss [PERSON]'s bag",
		"Ludwig van Beethoven wrote": "[PERSON] wrote", "John F. Kennedy and Ana Kovač's dog": "[PERSON] and [PERSON]'s dog", "customer Quorlan Wrexley": "customer [PERSON]",
		"Dr.\u00a0Wrexley and Ana\u00a0Kovač": "Dr.\u00a0[PERSON] and [PERSON]",
	} {
		inChunks(t, d, text, want)
	}
	for _, text := range []string{"Dear Sir or Madam,", "Hello World!", "Hi Team,", "Dear Customer Service,", "Thanks, Please call", "customer Support", "San Antonio Spurs", "Davis Wade Stadium",
		"Best regards from Acme", "all you need is love, Bombay, and", "Dear Mr.", "John Lewis Department", "Frank and I", "Mark the box", "the Rose Garden", "Will You", "In Victoria Street", "Virginia is hot"} {
		assert.Empty(t, d.Find(text), text)
	}
}

// TestFalsePositivesOnTheStandardLibrary counts wrong findings in the sources of the Go
// distribution and in this repository's documents. Parsers of the standard library check
// mail and IP addresses. PEM keys, MACs, URLs with passwords and Authorization headers
// count as right: nearly all are fixtures of tests. All other findings count as wrong.
func TestFalsePositivesOnTheStandardLibrary(t *testing.T) {
	personal, err := pii.Rules(nil)
	require.NoError(t, err)
	secrets, err := secret.Rules(nil)
	require.NoError(t, err)
	d, err := detect.New(slices.Concat(secrets, personal)...)
	require.NoError(t, err)
	limit := 16 << 20
	if testing.Short() {
		limit = 2 << 20
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skipf("no go command, no sources: %v", err)
	}
	for name, dir := range map[string]string{"standard library": filepath.Join(strings.TrimSpace(string(root)), "src"), "this repository": filepath.Join("..", "..")} {
		bytes, false_, all := 0, map[string]int{}, 0
		_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			rel, _ := filepath.Rel(dir, path)
			switch {
			case err != nil:
				return nil // unreadable: not counted
			case e.IsDir() && (e.Name() == "testdata" || rel == "cmd" || e.Name() == ".git"):
				return fs.SkipDir
			case bytes > limit:
				return fs.SkipAll
			case name == "this repository" && !strings.HasSuffix(path, "doc.go") && !strings.HasSuffix(path, ".md"), !strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".md"):
				return nil
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return nil
			}
			bytes += len(data)
			for f := range d.All(string(data)) {
				all++
				if v := f.Value(string(data)); !trueByForm(f.Kind, v) && !slices.Contains(specimens, v) {
					false_[f.Kind]++
				}
			}
			return nil
		})
		if bytes == 0 {
			t.Logf("%s: not there", name)
			continue
		}
		n := 0
		for _, c := range false_ {
			n += c
		}
		rate := float64(n) / float64(bytes) * 1e5
		t.Logf("%s: %d bytes, %d findings, %d false (%v): %.3f per 100 kB", name, bytes, all, n, false_, rate)
		require.Less(t, rate, 1.0, name)
	}
}

// specimens are example values in the lecture notes of this module.
var specimens = []string{"4111111111111111", "DE89370400440532013000", "xK9mP2vQ7rT4wZ8n"}

func trueByForm(kind, value string) bool {
	switch kind {
	case pii.KindEmail:
		_, err := mail.ParseAddress(value)
		return err == nil
	case pii.KindIPv4, pii.KindIPv6:
		_, err := netip.ParseAddr(value)
		return err == nil
	case pii.KindMAC, secret.KindPrivateKey, secret.KindURLPassword, secret.KindBearerToken, secret.KindJWT:
		return true
	}
	return false
}

func BenchmarkFind1000(b *testing.B) {
	personal, err := pii.Rules(nil)
	require.NoError(b, err)
	secrets, err := secret.Rules(nil)
	require.NoError(b, err)
	d, err := detect.New(slices.Concat(secrets, personal)...)
	require.NoError(b, err)
	text := strings.Repeat("Please summarize the report that Ana sent on 2026-11-23 to ana@example.org, and say what changed in version 1.2.3. ", 9)[:1000]
	b.SetBytes(1000)
	for b.Loop() {
		d.Find(text)
	}
}

// BenchmarkWorst measures texts of 1,000 characters on which the most rules run.
func BenchmarkWorst(b *testing.B) {
	d, err := pii.New(nil)
	require.NoError(b, err)
	for _, unit := range []string{"1 ", "１", "２ ", "，", "12 March ", "4111 1111 ", "1.", "Ab "} {
		text := strings.Repeat(unit, 1000/utf8.RuneCountInString(unit))
		b.Run(unit, func(b *testing.B) {
			for b.Loop() {
				d.Find(text)
			}
		})
	}
}
