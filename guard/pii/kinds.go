package pii

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/prodailabs/prodai/guard/detect"
	"github.com/prodailabs/prodai/guard/internal/kinds"
	"github.com/prodailabs/prodai/guard/threat"
)

// The kinds of personal data.
const (
	KindEmail         = "EMAIL"          // mailbox with a registrable domain
	KindPhone         = "PHONE"          // number with separators, or national with a word such as "tel"
	KindPhoneE164     = "PHONE_E164"     // + and 8 to 15 digits
	KindCreditCard    = "CREDIT_CARD"    // issuer range and Luhn
	KindIBAN          = "IBAN"           // length of the country and mod 97
	KindIPv4          = "IPV4"           // four parts of 0 to 255
	KindIPv6          = "IPV6"           // compressed, full or with an IPv4 tail
	KindMAC           = "MAC"            // six hex pairs
	KindDateOfBirth   = "DATE_OF_BIRTH"  // a date after a word such as "born"
	KindStreetAddress = "STREET_ADDRESS" // number and street, English, German, French forms
	// KindPerson is a name: a given name of the list and a surname, or what follows a
	// title, a label, a greeting or the closing of a letter. It is off by default: on the
	// 1,500 texts of presidio-research it finds 41 % of the names and 94 % of its findings
	// are right, where presidio-analyzer with spaCy's small model for English finds 64 %
	// and 70 % are right (cd internal/bench && go run ./guard/presidio).
	KindPerson = "PERSON"

	KindUSSSN      = "US_SSN"      // social security number
	KindUSITIN     = "US_ITIN"     // individual taxpayer identification number
	KindUKNHS      = "UK_NHS"      // NHS number, mod 11
	KindUKNINO     = "UK_NINO"     // national insurance number
	KindDETaxID    = "DE_TAX_ID"   // Steuer-IdNr., ISO 7064 mod 11,10
	KindFRNIR      = "FR_NIR"      // numéro de sécurité sociale, mod 97
	KindESDNI      = "ES_DNI"      // DNI and NIE, letter of mod 23
	KindITCF       = "IT_CF"       // codice fiscale, check letter
	KindNLBSN      = "NL_BSN"      // burgerservicenummer, mod 11
	KindPLPESEL    = "PL_PESEL"    // weighted mod 10
	KindSEPNR      = "SE_PNR"      // personnummer, Luhn
	KindNOFNR      = "NO_FNR"      // fødselsnummer, two mod 11
	KindDKCPR      = "DK_CPR"      // CPR number, date only: since 2007 it has no check digit
	KindFIHETU     = "FI_HETU"     // henkilötunnus, mod 31
	KindBENRN      = "BE_NRN"      // rijksregisternummer, mod 97
	KindCHAHV      = "CH_AHV"      // AHV number, EAN-13
	KindIEPPS      = "IE_PPS"      // personal public service number, mod 23
	KindBRCPF      = "BR_CPF"      // two mod 11
	KindCASIN      = "CA_SIN"      // social insurance number, Luhn
	KindAUTFN      = "AU_TFN"      // tax file number, mod 11
	KindINAadhaar  = "IN_AADHAAR"  // Verhoeff
	KindCNResident = "CN_RESIDENT" // ISO 7064 mod 11-2, with a date
	KindKRRRN      = "KR_RRN"      // resident registration number, mod 11
	KindSGNRIC     = "SG_NRIC"     // check letter
	KindZAID       = "ZA_ID"       // Luhn, with a date
	KindTRID       = "TR_ID"       // kimlik numarası, two check digits
	KindINGSTIN    = "IN_GSTIN"    // goods and services taxpayer, mod 36
	KindUSNPI      = "US_NPI"      // national provider identifier of health care, Luhn
	KindUSABA      = "US_ABA"      // a bank's routing number, mod 10, always with its word
	KindAUMedicare = "AU_MEDICARE" // weighted mod 10
	KindAUABN      = "AU_ABN"      // business number, mod 89
	KindAUACN      = "AU_ACN"      // company number, weighted mod 10
	KindDERVNR     = "DE_RVNR"     // Versicherungsnummer of pension and social insurance
	KindTHID       = "TH_ID"       // mod 11

	KindUKPostcode    = "UK_POSTCODE"    // form, with its word before it
	KindPassport      = "PASSPORT"       // letters and digits, with the word before them
	KindDriverLicense = "DRIVER_LICENSE" // letters and digits, with the words before them
	KindCryptoWallet  = "CRYPTO_WALLET"  // Bitcoin, Litecoin, Dogecoin, Ethereum, Tron: checksum of the address
)

// ErrOption is wrapped by every error about an invalid option.
var ErrOption = errors.New("pii: invalid option")

// Options configure a detector. The zero value finds every kind but [KindPerson].
type Options struct {
	// Kinds lists the kinds to find. A list that is empty and not nil means none:
	// [New] returns an error for it, [Rules] returns no rules. Default: nil, which
	// means all kinds except KindPerson, which misses more than half of all names.
	Kinds []string

	// AnyContext also finds numbers whose check digit alone proves too little: one
	// random number in eleven passes a check modulo 11. Default: false. The kinds of
	// [KindsNeedingContext] then need a word such as "NHS" within 64 bytes before
	// them.
	AnyContext bool
}

// KindsNeedingContext returns the kinds that need a word such as "NHS" before them,
// unless [Options.AnyContext] is set.
func KindsNeedingContext() []string {
	var kinds []string
	for _, id := range nationalIDs() {
		if len(id.context) > 0 && !id.loose && !slices.Contains(kinds, id.kind) {
			kinds = append(kinds, id.kind)
		}
	}
	return kinds
}

// New returns a detector of personal data. An unknown kind, or an empty list of kinds, is
// an error that wraps [ErrOption].
func New(o *Options) (*detect.Detector, error) {
	rules, err := Rules(o)
	if err != nil {
		return nil, err
	}
	return kinds.New(rules, ErrOption)
}

// Rules returns the rules that [New] uses. Put them into one detector with the rules of
// other packages. An unknown kind is an error that wraps [ErrOption]. An empty list of
// kinds gives no rules.
func Rules(o *Options) ([]detect.Rule, error) {
	if o == nil {
		o = &Options{}
	}
	all := []detect.Rule{
		emailRule(), cardRule(), ibanRule(),
		ipv4Rule(), ipv6Rule(), macRule(),
		birthRule(), numberFirstAddressRule(), streetFirstAddressRule(),
		passportRule(), licenseRule(), postcodeRule(), base58Rule(), bech32Rule(), ethereumRule(),
	}
	all = append(all, eraRules()...)
	for _, id := range nationalIDs() {
		all = append(all, id.rule(o.AnyContext))
	}
	all = append(all, e164Rule(), phoneRule(), personRule()) // a checksum proves more than the groups of a telephone number
	if o.Kinds == nil {
		return slices.DeleteFunc(all, func(r detect.Rule) bool { return r.Kind == KindPerson }), nil
	}
	return kinds.Choose(all, o.Kinds, ErrOption)
}

func threats() []string { return []string{threat.SensitiveDisclosure, threat.DataLeakage} }

// context reports whether one of the words is before at, whole or as the start of a longer
// word, with no digit between the word and at.
func context(text string, at int, words []string) bool {
	return before(text, at, words, false)
}

// wordBefore is like context, but the word must be whole: "tel" in "telemetry" does not
// count.
func wordBefore(text string, at int, words []string) bool {
	return before(text, at, words, true)
}

// before is context or, if whole is true, wordBefore. For wordBefore the underscore
// separates words.
func before(text string, at int, words []string, whole bool) bool {
	from := at
	for from > max(0, at-detect.LookbehindBytes) && !detect.Digits[text[from-1]] {
		from--
	}
	part := appendLower(make([]byte, 0, detect.LookbehindBytes), text[from:at])
	for _, w := range words {
		for i := 0; ; i++ {
			next := bytes.Index(part[i:], []byte(w))
			if next < 0 {
				break
			}
			i += next
			end := i + len(w)
			begins := i == 0 || !detect.Word[part[i-1]] || whole && part[i-1] == '_'
			if begins && (!whole || w[len(w)-1] >= utf8.RuneSelf || end == len(part) || !letters[part[end]]) {
				return true
			}
		}
	}
	return false
}

// appendLower appends s in small letters. For ASCII it allocates nothing, because it runs
// at every number.
func appendLower(b []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if c >= utf8.RuneSelf {
			return append(b[:0], strings.ToLower(s)...)
		}
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		b = append(b, c)
	}
	return b
}

// joined reports whether a number at a place is a part of something longer that begins
// before it: a decimal number, a path, a version.
func joined(text string, at int) bool {
	if at == 0 {
		return false
	}
	switch text[at-1] {
	case '.', '-', '/', ',', '+', ':':
		return at > 1 && detect.Word[text[at-2]]
	case '_', '$', '%', '#':
		return true
	}
	if text[at-1] >= utf8.RuneSelf {
		return wideBefore(text, at)
	}
	return detect.Word[text[at-1]]
}

// continues reports whether a number that ends at a place is a part of something longer:
// 1 for yes, 0 for no, [detect.NeedMore] if the next bytes decide.
func continues(text string, end int, atEOF bool) int {
	if end >= len(text) {
		if atEOF {
			return 0
		}
		return detect.NeedMore
	}
	switch b := text[end]; {
	case detect.Word[b], b == wideStart[0] && wideAt(text, end):
		return 1
	case b == '-' || b == '.' || b == '/' || b == ':' || b == ',':
		if end+1 >= len(text) {
			if atEOF {
				return 0
			}
			return detect.NeedMore
		}
		if detect.Word[text[end+1]] && (b == '-' || b == '/' || detect.Digits[text[end+1]]) {
			return 1
		}
	}
	return 0
}

// ended returns the length of a number, 0 if something longer contains it.
func ended(text string, at, end int, atEOF bool) int {
	switch continues(text, end, atEOF) {
	case detect.NeedMore:
		return detect.NeedMore
	case 1:
		return 0
	}
	return end - at
}
