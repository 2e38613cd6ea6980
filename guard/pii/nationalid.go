package pii

import "github.com/prodailabs/prodai/guard/detect"

// A nationalID is a numbering scheme: how it is written, what makes it valid
// and, where the check is weak, the words one of which must stand before it.
type nationalID struct {
	kind string
	// d is a digit, A a capital letter, w either; anything else is itself.
	layouts []string
	valid   func(s string) bool // s holds the letters and digits only
	context []string
	score   float64
}

func nationalIDs() []nationalID {
	return []nationalID{
		{KindUSSSN, []string{"ddd-dd-dddd"}, validSSN, nil, .85},
		{KindUSITIN, []string{"ddd-dd-dddd", "ddddddddd"}, validITIN, []string{"itin", "taxpayer"}, .85},
		{KindUKNHS, []string{"dddddddddd", "ddd ddd dddd"}, validNHS, []string{"nhs", "patient", "national health"}, .8},
		{KindUKNINO, []string{"AAddddddA", "AA dd dd dd A"}, validNINO, nil, .8},
		{KindDETaxID, []string{"ddddddddddd", "dd ddd ddd ddd"}, validDETaxID, []string{"steuer", "idnr", "tin", "tax id"}, .85},
		{KindFRNIR, []string{"dddddwwdddddddd", "d dd dd ww ddd ddd dd"}, validNIR, nil, .9},
		{KindESDNI, []string{"ddddddddA", "dddddddd-A", "AdddddddA"}, validDNI, []string{"dni", "nif", "nie", "documento", "identidad"}, .85},
		{KindITCF, []string{"AAAAAAddAddAdddA"}, validCF, nil, .95},
		{KindNLBSN, []string{"ddddddddd"}, validBSN, []string{"bsn", "burgerservice", "sofi"}, .8},
		{KindPLPESEL, []string{"ddddddddddd"}, validPESEL, []string{"pesel"}, .85},
		{KindSEPNR, []string{"dddddd-dddd", "dddddddd-dddd"}, validPNR, []string{"personnummer", "personal number", "pnr"}, .85},
		{KindNOFNR, []string{"ddddddddddd", "dddddd ddddd"}, validFNR, []string{"fødselsnummer", "fnr", "personnummer"}, .9},
		{KindDKCPR, []string{"dddddd-dddd"}, validCPR, []string{"cpr"}, .75},
		{KindFIHETU, []string{"dddddd-dddw", "dddddd+dddw", "ddddddAdddw"}, validHETU, []string{"hetu", "henkilötunnus", "personal identity"}, .9},
		{KindBENRN, []string{"dd.dd.dd-ddd.dd"}, validNRN, nil, .9},
		{KindCHAHV, []string{"756.dddd.dddd.dd", "756dddddddddd"}, validAHV, nil, .9},
		{KindIEPPS, []string{"dddddddA", "dddddddAA"}, validPPS, []string{"pps"}, .85},
		{KindBRCPF, []string{"ddd.ddd.ddd-dd"}, validCPF, nil, .9},
		{KindBRCPF, []string{"ddddddddddd"}, validCPF, []string{"cpf"}, .85},
		{KindCASIN, []string{"ddd-ddd-ddd", "ddd ddd ddd", "ddddddddd"}, validSIN, []string{"sin", "social insurance"}, .8},
		{KindAUTFN, []string{"ddd ddd ddd", "ddddddddd"}, validTFN, []string{"tfn", "tax file"}, .8},
		{KindINAadhaar, []string{"dddd dddd dddd", "dddd-dddd-dddd", "dddddddddddd"}, validAadhaar, []string{"aadhaar", "aadhar", "uidai", "uid"}, .9},
		{KindCNResident, []string{"ddddddddddddddddd" + "w"}, validCN, nil, .95},
		{KindKRRRN, []string{"dddddd-ddddddd"}, validRRN, nil, .85},
		{KindSGNRIC, []string{"AdddddddA"}, validNRIC, []string{"nric", "fin", "ic no"}, .85},
		{KindZAID, []string{"ddddddddddddd"}, validZA, []string{"id number", "identity", "rsa id"}, .85},
	}
}

func (id nationalID) rule(anyContext bool) detect.Rule {
	starts := ""
	longest := 0
	for _, l := range id.layouts {
		longest = max(longest, len(l))
		switch l[0] {
		case 'd':
			starts += "0123456789"
		case 'A':
			starts += "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		default:
			starts += l[:1]
		}
	}
	reason := "form and check digit"
	if len(id.context) > 0 && !anyContext {
		reason = "form, check digit and a word before it"
	}
	return detect.Rule{
		Kind: id.kind, Score: id.score, Reason: reason, Threats: threats(),
		Starts: starts, Max: longest + 2,
		Match: func(text string, at int, atEOF bool) int {
			if joined(text, at) {
				return 0
			}
			best := 0
			for _, l := range id.layouts {
				switch n := id.match(text, at, l, atEOF); {
				case n == detect.NeedMore:
					return detect.NeedMore
				case n > best && (anyContext || len(id.context) == 0 || context(text, at, id.context)):
					best = n
				}
			}
			return best
		},
	}
}

func (id nationalID) match(text string, at int, layout string, atEOF bool) int {
	var buf [24]byte
	s := buf[:0]
	for i := range len(layout) {
		if at+i == len(text) {
			return undecided(atEOF)
		}
		b := text[at+i]
		digit, letter := detect.Digits[b], b >= 'A' && b <= 'Z'
		switch layout[i] {
		case 'd':
			if !digit {
				return 0
			}
		case 'A':
			if !letter {
				return 0
			}
		case 'w':
			if !digit && !letter {
				return 0
			}
		default:
			if b != layout[i] {
				return 0
			}
		}
		if digit || letter {
			s = append(s, b)
		}
	}
	n := ended(text, at, at+len(layout), atEOF)
	if n > 0 && !id.valid(string(s)) {
		return 0
	}
	return n
}
