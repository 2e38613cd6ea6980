package pii

import (
	"strings"
	"unicode/utf8"

	"github.com/prodailabs/prodai/guard/detect"
)

// A nationalID is a numbering scheme: how its numbers are written, what makes one valid
// and, where the check is weak, the words of which one must be before the number.
type nationalID struct {
	kind string
	// d is a digit, A a capital letter, w either. A blank, a hyphen and a full stop mean
	// any character that looks like them. Any other character means itself.
	layouts []string
	valid   func(s string) bool // s contains the letters and digits only
	context []string
	score   float64
	first   string // the letters that a number can begin with; "": any
	loose   bool   // the form needs a word even with Options.AnyContext
}

func nationalIDs() []nationalID {
	return []nationalID{
		{KindUSSSN, []string{"ddd-dd-dddd"}, validSSN, nil, .85, "", false},
		{KindUSSSN, []string{"ddd.dd.dddd", "ddd dd dddd", "ddddddddd"}, validSSN, []string{"ssn", "social security", "soc sec", "social sec"}, .85, "", true},
		{KindUSITIN, []string{"ddd-dd-dddd", "ddddddddd"}, validITIN, []string{"itin", "taxpayer"}, .85, "", false},
		{KindUKNHS, []string{"dddddddddd", "ddd ddd dddd", "ddd-ddd-dddd"}, validNHS, []string{"nhs", "patient", "national health"}, .8, "", false},
		{KindUKNINO, []string{"AAddddddA", "AA dd dd dd A"}, validNINO, nil, .8, "", false},
		{KindDETaxID, []string{"ddddddddddd", "dd ddd ddd ddd"}, validDETaxID, []string{"steuer", "idnr", "tin", "tax id"}, .85, "", false},
		{KindFRNIR, []string{"dddddwwdddddddd", "d dd dd ww ddd ddd dd"}, validNIR, nil, .9, "", false},
		{KindESDNI, []string{"ddddddddA", "dddddddd-A", "AdddddddA"}, validDNI, []string{"dni", "nif", "nie", "documento", "identidad"}, .85, "XYZ", false},
		{KindITCF, []string{"AAAAAAddAddAdddA"}, validCF, nil, .95, "", false},
		{KindNLBSN, []string{"ddddddddd"}, validBSN, []string{"bsn", "burgerservice", "sofi"}, .8, "", false},
		{KindPLPESEL, []string{"ddddddddddd"}, validPESEL, []string{"pesel"}, .85, "", false},
		{KindSEPNR, []string{"dddddd-dddd", "dddddddd-dddd", "dddddddddd", "dddddddddddd"}, validPNR, []string{"personnummer", "personal number", "pnr"}, .85, "", false},
		{KindNOFNR, []string{"ddddddddddd", "dddddd ddddd"}, validFNR, []string{"fødselsnummer", "fnr", "personnummer"}, .9, "", false},
		{KindDKCPR, []string{"dddddd-dddd"}, validCPR, []string{"cpr"}, .75, "", false},
		{KindFIHETU, []string{"dddddd-dddw", "dddddd+dddw", "ddddddAdddw"}, validHETU, []string{"hetu", "henkilötunnus", "personal identity"}, .9, "", false},
		{KindBENRN, []string{"dd.dd.dd-ddd.dd"}, validNRN, nil, .9, "", false},
		{KindCHAHV, []string{"756.dddd.dddd.dd", "756dddddddddd"}, validAHV, nil, .9, "", false},
		{KindIEPPS, []string{"dddddddA", "dddddddAA"}, validPPS, []string{"pps"}, .85, "", false},
		{KindBRCPF, []string{"ddd.ddd.ddd-dd"}, validCPF, nil, .9, "", false},
		{KindBRCPF, []string{"ddddddddddd"}, validCPF, []string{"cpf"}, .85, "", false},
		{KindCASIN, []string{"ddd-ddd-ddd", "ddd ddd ddd", "ddddddddd"}, validSIN, []string{"sin", "social insurance"}, .8, "", false},
		{KindAUTFN, []string{"ddd ddd ddd", "ddddddddd"}, validTFN, []string{"tfn", "tax file"}, .8, "", false},
		{KindINAadhaar, []string{"dddd dddd dddd", "dddd-dddd-dddd", "dddddddddddd"}, validAadhaar, []string{"aadhaar", "aadhar", "uidai", "uid"}, .9, "", false},
		{KindCNResident, []string{"ddddddddddddddddd" + "w"}, validCN, nil, .95, "", false},
		{KindKRRRN, []string{"dddddd-ddddddd"}, validRRN, nil, .85, "", false},
		{KindSGNRIC, []string{"AdddddddA"}, validNRIC, []string{"nric", "fin", "ic no"}, .85, "STFG", false},
		{KindZAID, []string{"ddddddddddddd"}, validZA, []string{"id number", "identity", "rsa id"}, .85, "", false},
		{KindTRID, []string{"ddddddddddd"}, validTR, []string{"kimlik", "tckn", "tc no", "t.c. no"}, .9, "", false},
		{KindINGSTIN, []string{"ddAAAAAddddAwww"}, validGSTIN, nil, .95, "", false},
		{KindUSNPI, []string{"dddddddddd"}, validNPI, []string{"npi", "national provider"}, .85, "", false},
		{KindUSABA, []string{"ddddddddd", "dddd-dddd-d"}, validABA, []string{"routing", "aba", "rtn", "transit number"}, .85, "", true},
		{KindAUMedicare, []string{"dddd ddddd d", "dddddddddd", "dddd ddddd d-d"}, validMedicare, []string{"medicare"}, .9, "", false},
		{KindAUABN, []string{"dd ddd ddd ddd", "ddddddddddd"}, validABN, []string{"abn", "business number"}, .9, "", false},
		{KindAUACN, []string{"ddd ddd ddd", "ddddddddd"}, validACN, []string{"acn", "company number"}, .85, "", false},
		{KindDERVNR, []string{"ddddddddAddd", "dd dddddd A ddd"}, validRVNR, []string{"versicherungsnummer", "sozialversicherung", "rentenversicherung", "sv-nummer", "svnr", "rvnr"}, .9, "", false},
		{KindTHID, []string{"d-dddd-ddddd-dd-d", "d dddd ddddd dd d"}, validTH, nil, .9, "", false},
		{KindTHID, []string{"ddddddddddddd"}, validTH, []string{"thai id", "thai national", "citizen id", "national id", "บัตรประชาชน", "ประจำตัวประชาชน"}, .85, "", true},
	}
}

func (id *nationalID) rule(anyContext bool) detect.Rule {
	needsWord := len(id.context) > 0 && (!anyContext || id.loose)
	starts := wideStart
	longest := 0
	for _, l := range id.layouts {
		longest = max(longest, len(l))
		switch l[0] {
		case 'd':
			starts += "0123456789"
		case 'A':
			first := "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			if id.first != "" {
				first = id.first
			}
			starts += first
			if needsWord {
				starts += strings.ToLower(first)
			}
		default:
			starts += l[:1]
		}
	}
	lead := id.lead(needsWord)
	reason := "form and check digit"
	if needsWord {
		reason = "form, check digit and a word before it"
	}
	return detect.Rule{
		Kind: id.kind, Score: id.score, Reason: reason, Threats: threats(),
		Starts: starts, Max: longest*widest + 6,
		Match: func(text string, at int, atEOF bool) int {
			if at+2 < len(text) { // most words and numbers are excluded here
				if b := text[at+1]; !lead[1][b] || b != ' ' && b < utf8.RuneSelf && text[at] < utf8.RuneSelf && !lead[2][text[at+2]] {
					return 0
				}
			}
			if text[at] == wideStart[0] && (!wideAt(text, at) || wideBefore(text, at)) || !leads(&lead, text, at) || joined(text, at) {
				return 0
			}
			best := 0
			for _, l := range id.layouts {
				switch n := id.match(text, at, l, needsWord, atEOF); {
				case n == detect.NeedMore:
					return detect.NeedMore
				case n > best && (!needsWord || context(text, at, id.context)):
					best = n
				}
			}
			return best
		},
	}
}

// lead returns, for each of the first characters of a number, the bytes that it can be in
// any layout. They exclude most texts before match looks at each layout.
func (id *nationalID) lead(small bool) [5]detect.Class {
	var lead [5]detect.Class
	for i := range lead {
		for b := utf8.RuneSelf; b < len(lead[i]); b++ {
			lead[i][b] = true
		}
		for _, l := range id.layouts {
			for b := range utf8.RuneSelf {
				c := byte(b)
				if small {
					c = upper(c)
				}
				digit, letter := detect.Digits[c], c >= 'A' && c <= 'Z'
				switch l[i] {
				case 'd':
					lead[i][b] = lead[i][b] || digit
				case 'A':
					lead[i][b] = lead[i][b] || letter
				case 'w':
					lead[i][b] = lead[i][b] || digit || letter
				default:
					lead[i][b] = lead[i][b] || c == l[i]
				}
			}
		}
	}
	return lead
}

// leads reports whether the characters at a place are of the classes that lead returned.
func leads(lead *[5]detect.Class, text string, at int) bool {
	for i := 0; i < len(lead) && at < len(text); i++ {
		b, size := text[at], 1
		if b >= utf8.RuneSelf {
			if !wideAt(text, at) {
				return true // match knows what it looks like
			}
			if b, size = text[at+2]-0x20, widest; text[at+1] == 0xBC {
				b = text[at+2] - 0x60
			}
		}
		if !lead[i][b] {
			return false
		}
		if b == ' ' {
			return true // match knows where the blank ends
		}
		at += size
	}
	return true
}

// match returns the length of a number in one layout. Small letters count if small is
// true: a word before the number then shows what they mean.
func (id *nationalID) match(text string, at int, layout string, small, atEOF bool) int {
	var buf [24]byte
	s := buf[:0]
	end := at
	for i := 0; i < len(layout); i++ {
		if end == len(text) {
			return undecided(atEOF)
		}
		b, size := text[end], 1
		if b == ' ' || b >= utf8.RuneSelf {
			if b, size = char(text, end); b == invisible && i > 0 {
				end += size
				i--
				continue
			}
		}
		if small {
			b = upper(b)
		}
		digit, letter := detect.Digits[b], b >= 'A' && b <= 'Z'
		var ok bool
		switch layout[i] {
		case 'd':
			ok = digit
		case 'A':
			ok = letter
		case 'w':
			ok = digit || letter
		default:
			ok = b == layout[i]
		}
		if !ok {
			return 0
		}
		if digit || letter {
			s = append(s, b)
		}
		end += size
	}
	n := ended(text, at, end, atEOF)
	if n > 0 && !id.valid(string(s)) {
		return 0
	}
	return n
}
