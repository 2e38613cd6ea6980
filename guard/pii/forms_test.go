package pii_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/prodailabs/prodai/guard/detect"
	"github.com/prodailabs/prodai/guard/pii"
)

// inChunks compares a redacted text with what is wanted, whole and as a stream.
func inChunks(t *testing.T, d *detect.Detector, text, want string) {
	t.Helper()
	assert.Equal(t, want, d.Redact(text, detect.Label), text)
	for size := 1; size < 5; size++ {
		s := d.Stream(nil)
		out := ""
		for at := 0; at < len(text); at += size {
			out += s.Write(text[at:min(len(text), at+size)])
		}
		assert.Equal(t, want, out+s.Close(), "%s in chunks of %d", text, size)
	}
}

// wide writes the digits and letters of a text in full width, as Chinese and Japanese
// keyboards do.
func wide(s string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7F {
			return r + 0xFEE0
		}
		return r
	}, s)
}

// TestSeparators writes one number of each kind with every character that looks like
// its separators.
func TestSeparators(t *testing.T) {
	d, err := pii.New(nil)
	require.NoError(t, err)
	blanks := []string{" ", "\u00a0", "\u202f", "\u2007", "\u2009", "\u3000", "  ", "\u00a0 "}
	hyphens := []string{"-", "\u2010", "\u2011", "\u2013", "\u2212", "\uff0d"}
	stops := []string{".", "\u00b7", "\u2024", "\uff0e"}
	for _, c := range []struct {
		kind, before, number, sep string
	}{
		{pii.KindCreditCard, "card ", "4111 1111 1111 1111", " -."},
		{pii.KindIBAN, "pay ", "DE89 3704 0044 0532 0130 00", " -."},
		{pii.KindUSSSN, "SSN ", "536 22 1234", " -."},
		{pii.KindUSITIN, "ITIN ", "912 70 1234", "-"},
		{pii.KindUKNHS, "NHS ", "943 476 5919", " -"},
		{pii.KindPhone, "call ", "+44 20 7946 0958", " -."},
		{pii.KindPhone, "Tel. ", "030 1234567", " -."},
		{pii.KindPhone, "or ", "555 123 4567", "-."},
		{pii.KindDateOfBirth, "born ", "12 03 1985", "-."},
		{pii.KindBRCPF, "CPF ", "529.982.247-25", ""},
		{pii.KindCASIN, "SIN ", "130 692 544", " -"},
		{pii.KindINAadhaar, "Aadhaar ", "2341 2341 2346", " -"},
		{pii.KindIPv4, "host ", "10 0 0 17", "."},
		{pii.KindMAC, "MAC ", "00 1B 44 11 3A B7", "-"},
		{pii.KindTHID, "id ", "8 2200 33224 53 0", " -"},
	} {
		var seps []string
		for _, s := range c.sep {
			switch s {
			case ' ':
				seps = append(seps, blanks...)
			case '-':
				seps = append(seps, hyphens...)
			case '.':
				seps = append(seps, stops...)
				if c.kind == pii.KindIPv4 {
					seps = slices.DeleteFunc(seps, func(s string) bool { return s == "\u00b7" })
				}
			}
		}
		if seps == nil {
			seps = []string{" "}
		}
		for _, s := range seps {
			number := strings.ReplaceAll(c.number, " ", s)
			inChunks(t, d, "my "+c.before+number+", ok", "my "+c.before+"["+c.kind+"], ok")
			inChunks(t, d, "my "+c.before+wide(number)+"。ok", "my "+c.before+"["+c.kind+"]。ok")
		}
		number := strings.ReplaceAll(c.number, " ", seps[0])
		at := len(number) / 2
		inChunks(t, d, "my "+c.before+number[:at]+"\u200b"+number[at:]+", ok", "my "+c.before+"["+c.kind+"], ok")
	}
	// Three blanks separate columns of a table, and a longer number is another number.
	inChunks(t, d, "4111   1111   1111   1111", "4111   1111   1111   1111")
	inChunks(t, d, wide("94111111111111111"), wide("94111111111111111"))
	inChunks(t, d, wide("41111111111111119"), wide("41111111111111119"))
	inChunks(t, d, "4111111111111111"+wide("9"), "4111111111111111"+wide("9"))
	inChunks(t, d, "mail ana@exam\u200bple.org", "mail [EMAIL]")
	inChunks(t, d, "host 2001:db8::\u200b17, "+wide("2001:db8::17")+" 2001:db8::17.", "host [IPV6], [IPV6] [IPV6].")
	inChunks(t, d, "at 221B\u00a0Baker\u00a0Street, Hauptstraße\u202f5", "at [STREET_ADDRESS], [STREET_ADDRESS]")
}

func TestForms(t *testing.T) {
	d, err := pii.New(nil)
	require.NoError(t, err)
	for _, c := range []struct{ text, want string }{
		// Telephones.
		{"Tel. 030/12345678", "Tel. [PHONE]"},
		{"ring 0044 20 7946 0958 or 0049-30-123456", "ring [PHONE] or [PHONE]"},
		{"card 8172000000000005, hex 8180808080808000", "card [CREDIT_CARD], hex 8180808080808000"},
		{"ring 001.001.001.001, 0033 2044 0034", "ring 001.001.001.001, 0033 2044 0034"},
		{"ring 0000 20 7946 0958, 00 11 22 33", "ring 0000 20 7946 0958, 00 11 22 33"},
		{"手机 13812345678，手机号码：13812345678", "手机 [PHONE]，手机号码：[PHONE]"},
		{"携帯 09012345678 か 090-1234-5678", "携帯 [PHONE] か [PHONE]"},
		{"ring (02) 5550 1234 or (0141) 496 0123, not (00) 5550 1234 or (0) 12345678", "ring [PHONE] or [PHONE], not (00) 5550 1234 or (0) 12345678"},
		{"text 0917 123 4567 today", "text [PHONE] today"},
		{"appelez le 06 12 34 56 78 ou 06.12.34.56.78", "appelez le [PHONE] ou [PHONE]"},
		{"mobile 07911 123456, or 07911 123456", "mobile [PHONE], or [PHONE]"},
		{"version 1.234.567.8901, build 1.234.567.8901, v 1.234.567.8901", "version 1.234.567.8901, build 1.234.567.8901, v 1.234.567.8901"},
		{"or 1.234.567.8901", "or [PHONE]"},
		{"version 10.0.0.17 on 10.0.0.17", "version 10.0.0.17 on [IPV4]"},
		{"got %v, want 1.2.3.4; env: \"https://127.0.0.1:80\"", "got %v, want [IPV4]; env: \"https://[IPV4]:80\""},
		{"3·5·7·11, 0xffffffffffffffffffffffffffffffff00000001", "3·5·7·11, 0xffffffffffffffffffffffffffffffff00000001"},
		{"rows 06 12 34 56 78 90, 01 02 03 04 05", "rows 06 12 34 56 78 90, 01 02 03 04 05"},
		// Dates of birth.
		{"geboren am 12. März 1985, Geburtsdatum: 1. Januar 1990", "geboren am [DATE_OF_BIRTH], Geburtsdatum: [DATE_OF_BIRTH]"},
		{"出生日期：1985年3月12日，出生于1985年03月12日。", "出生日期：[DATE_OF_BIRTH]，出生于[DATE_OF_BIRTH]。"},
		{"1985年3月12日出生，1985年3月12日签署", "[DATE_OF_BIRTH]出生，1985年3月12日签署"},
		{"生年月日 1985/03/12、昭和60年3月12日生まれ、2020年3月12日発売", "生年月日 [DATE_OF_BIRTH]、[DATE_OF_BIRTH]生まれ、2020年3月12日発売"},
		{"née le 12 août 1985, nacida el 3 de diciembre de 1985", "née le [DATE_OF_BIRTH], nacida el [DATE_OF_BIRTH]"},
		// Cards.
		{"card 2204240198052526, 6521500000000006, 5085000000000007", "card [CREDIT_CARD], [CREDIT_CARD], [CREDIT_CARD]"},
		{"Visa 4222222222222, build 4222222222222", "Visa [CREDIT_CARD], build 4222222222222"},
		{"JCB card 180000000000002, Maestro card 500000000009", "JCB card [CREDIT_CARD], Maestro card [CREDIT_CARD]"},
		// Network.
		{"Cisco 001b.4411.3ab7, 1b44.113a.b7", "Cisco [MAC], 1b44.113a.b7"},
		{"11:11:11:11:11:11 aa-aa-aa-aa-aa-aa aaaa.aaaa.aaaa", "11:11:11:11:11:11 aa-aa-aa-aa-aa-aa aaaa.aaaa.aaaa"},
		{"scale 1234.5678.9012", "scale 1234.5678.9012"},
		// Documents.
		{"Passport No: 123456789, passport C01X00T47, Reisepass C01X00T47", "Passport No: [PASSPORT], passport [PASSPORT], Reisepass [PASSPORT]"},
		{"护照号码：E12345678, passport page 12, order C01X00T47", "护照号码：[PASSPORT], passport page 12, order C01X00T47"},
		{"driving licence MORGA657054SM9IJ, Driver's License #D123-4567-8901", "driving licence [DRIVER_LICENSE], Driver's License #[DRIVER_LICENSE]"},
		{"postcode SW1A 1AA, Postcode: m11ae, post code EC1A1BB", "postcode [UK_POSTCODE], Postcode: [UK_POSTCODE], post code [UK_POSTCODE]"},
		{"the model SW1A 1AA and a postcode of 2 parts", "the model SW1A 1AA and a postcode of 2 parts"},
		{"ABA routing number 021000021, routing: 111000025, order 021000021", "ABA routing number [US_ABA], routing: [US_ABA], order 021000021"},
		// Wallets.
		{"pay 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa, 159Gt41DBzYRsML1JiTNVqNySxVCAuNKWr", "pay [CRYPTO_WALLET], [CRYPTO_WALLET]"},
		{"pay 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "pay 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"},
		{"35qHobVejtroxX2SRp7xvTjubUmuitsaz2 LPNE9GK3GenV8A2AUrSfmrSjfArUJ5N345", "[CRYPTO_WALLET] [CRYPTO_WALLET]"},
		{"D9HNRJwrVQSiQMWc3JSw3bYaL6DVUzwBfr, TE7Ut7NwLifP2XPdtz761z57MkEWJUTu7m", "[CRYPTO_WALLET], [CRYPTO_WALLET]"},
		{"bc1q94c3vs4hy6cygqtz0j5lhtpj7hy9xra3sw6xr7, ltc1q94c3vs4hy6cygqtz0j5lhtpj7hy9xra35jqzmw.", "[CRYPTO_WALLET], [CRYPTO_WALLET]."},
		{"bc1p587wgd3c2nlc3r8lfw88sawkqrpxsgusgy4geaumxlgtzy2gkraqhm8ue5", "[CRYPTO_WALLET]"},
		{"bc1q94c3vs4hy6cygqtz0j5lhtpj7hy9xra3sw6xr8", "bc1q94c3vs4hy6cygqtz0j5lhtpj7hy9xra3sw6xr8"},
		{"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed, 0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359", "[CRYPTO_WALLET], [CRYPTO_WALLET]"},
		{"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD, 0x1234", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD, 0x1234"},
		// Known examples of wrong findings.
		{"git@host:path.git, ssh git@host.example.org:path.git", "git@host:path.git, ssh git@host.example.org:path.git"},
		{"TELEMETRY=110201543, cellular modem 0612345678", "TELEMETRY=110201543, cellular modem 0612345678"},
	} {
		inChunks(t, d, c.text, c.want)
	}
}
