package pii

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/prodailabs/prodai/guard/detect"
)

// nameList contains given names in Latin script, one a line. They are those of the United
// States census of 1990 and of Faker's lists for some sixty languages and countries.
// Words of English, French, German and Spanish, places and products are left out.
// testdata/peers/given_names.py writes the list.
//
//go:embed names.txt
var nameList string

var givenNames = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	for _, n := range strings.Fields(nameList) {
		names[n] = true
	}
	return names
})

// An introduction is the kind of text before a name.
type introduction uint8

const (
	introNone     introduction = iota
	introTitle                 // Dr. Kovač, my name is Ana, Name: Ana
	introRole                  // customer Ana Kovač: two words or more
	introGreeting              // Dear Ana,
	introClosing               // Best regards, Ana
)

// titles are the words before a name, in small letters and without a full stop.
var titles = wordSet("mr mrs ms miss mx dr prof professor sir madam lady lord dame capt captain sgt sergeant lt lieutenant col colonel rev reverend judge justice senator " +
	"herr herrn frau monsieur madame mademoiselle mme mlle señor señora señorita sr sra srta don doña signor signora signorina sig dott dottor mevrouw dhr pan pani senhor senhora")

// roles are words before a name. They count only if two capitalized words or more follow.
var roles = wordSet("patient employee customer client tenant passenger applicant colleague attorney inspector officer")

// greetings begin a letter or a message.
var greetings = wordSet("dear hi hello hey greetings liebe lieber hallo bonjour cher chère hola querido querida estimado estimada ciao caro cara olá prezado prezada beste kære hei hej")

// closings end a letter or a message.
var closings = []string{"regards", "sincerely", "sincerely yours", "yours", "faithfully", "truly", "cheers", "thanks", "many thanks", "thank you", "best", "best wishes", "respectfully", "love",
	"mit freundlichen grüßen", "grüßen", "grüße", "gruß", "cordialement", "bien à vous", "saludos", "atentamente", "cordiali saluti", "saluti", "atenciosamente", "abraços", "met vriendelijke groet", "groeten"}

// phrases end right before a name.
var phrases = []string{"name is", "name was", "name's", "i am called", "ich heiße", "ich heisse", "m'appelle", "me llamo", "mi chiamo", "me chamo", "naam is", "ist mein name",
	"name:", "surname:", "patient:", "customer:", "client:", "employee:", "applicant:", "passenger:", "cardholder:", "account holder:", "attn:", "signed by", "signed:", "nachname:", "vorname:", "nom:", "prénom:", "nombre:", "apellidos:", "nome:", "cognome:"}

// stops are words that are often capitalized and never a part of a name.
var stops = wordSet("the and or is was has i in on at if for to said says a an of by with from as he she it we they you but not no yes so then when where what who why how this that these those my your his her our their " +
	"will would can could should may might must do does did all team everyone everybody there sir madam customer customers support service services colleagues friends folks world people please thanks hi hello dear api " +
	"today tomorrow yesterday monday tuesday wednesday thursday friday saturday sunday january february march april june july august september october november december " +
	"said asked wrote told visited bought sold street")

// things are words for places, companies and works. Capitalized words before one of them
// are not the name of a person.
var things = wordSet("road avenue university college school inc ltd llc corp corporation gmbh ag plc company co day city county island islands river lake mountain mountains park station church hotel street " +
	"award awards prize law theorem cup bank stadium arena classic economy racing organization organisation group foundation institute hospital airport museum theatre theater center centre square beach bay valley " +
	"hills library hall house palace castle bridge tower airlines motors records entertainment pictures press news times post magazine review journal show film movie series book trophy championship league united fc " +
	"club party government army war act doctrine syndrome disease effect method test model equation algorithm union council committee court department ministry office partners capital ventures industries technologies " +
	"systems software labs lab academy association society festival tournament airport cathedral cemetery district region province state states county village town port harbor harbour canyon creek falls forest gardens " +
	"garden heights tech gov governor games national international memorial conference summit agreement treaty project program programme band orchestra quartet ensemble clan dynasty empire kingdom republic edition version language code data")

// placePrefixes begin names of places that contain the name of a person: San Antonio.
var placePrefixes = []string{"san", "santa", "santo", "são", "st", "st.", "saint", "sainte", "los", "las", "fort", "port", "new", "north", "south", "east", "west", "mount", "lake", "cape"}

// particles are the small words inside a name: Ludwig van Beethoven.
var particles = wordSet("van von de da der den della di del le la bin ibn al el dos du ten ter y e zu zur af av")

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

func personRule() detect.Rule {
	return detect.Rule{
		Kind: KindPerson, Score: .5, Reason: "a given name or an introduction, and a capitalized word", Threats: threats(),
		Max: maxName + 2, Match: matchPerson,
	}
}

// maxName limits a name and the word after it, in bytes.
const maxName = 112

// matchPerson finds a given name of the list with one or two capitalized words after it.
// It also finds one to three capitalized words after an introduction: a title, a label, a
// greeting, or the closing of a letter.
func matchPerson(text string, at int, atEOF bool) int {
	if b := text[at]; b < 'A' || b > 'Z' && b < utf8.RuneSelf {
		return 0
	}
	if last, _ := utf8.DecodeLastRuneInString(text[:at]); at > 0 && last >= utf8.RuneSelf && !isBlank(last) && !unicode.IsPunct(last) {
		return 0 // inside a word
	}
	if r, _ := utf8.DecodeRuneInString(text[at:]); !unicode.IsUpper(r) {
		return 0
	}
	if endsWithOne(strings.TrimRight(text[:at], " "), placePrefixes) {
		return 0
	}
	intro := introducedBy(text[:at])
	n := nameOf(text, at, atEOF)
	switch {
	case n.more:
		return detect.NeedMore
	case n.words == 0 || n.thing:
		return 0
	case intro == introTitle, intro == introRole && n.words > 1, n.given && n.words > 1:
		return n.end - at
	case intro == introGreeting && (n.words > 1 || endsClause(text, n.end, ",") || n.given && endsClause(text, n.end, "!.:;")),
		intro == introClosing && (n.words > 1 || strings.HasSuffix(strings.TrimRight(text[:at], " \t"), "\n")) && endsClause(text, n.end, ""):
		return n.end - at
	}
	return 0
}

// endsClause reports whether the text or the line ends at a place, or has one of the marks
// there.
func endsClause(text string, at int, marks string) bool {
	return at == len(text) || text[at] == '\n' || text[at] == '\r' || strings.HasPrefix(text[at:], " -") ||
		strings.IndexByte(marks, text[at]) >= 0 && (at+1 == len(text) || text[at+1] <= ' ')
}

// introducedBy returns the introduction that the text before a place ends with.
func introducedBy(before string) introduction {
	trimmed := strings.TrimRight(before, " \t\u00a0\u202f")
	if trimmed == "" {
		return introNone
	}
	if last := trimmed[len(trimmed)-1]; last == '\n' || last == ',' {
		line := strings.TrimRight(trimmed, " \t\r\n")
		line = strings.TrimRight(line, ",.!")
		if endsWithOne(line, closings) {
			return introClosing
		}
		return introNone
	}
	if len(trimmed) == len(before) {
		return introNone
	}
	from := len(trimmed)
	for from > 0 && trimmed[from-1] > ' ' && strings.IndexByte("(\"'[*", trimmed[from-1]) < 0 {
		from--
	}
	word := strings.ToLower(strings.TrimSuffix(trimmed[from:], "."))
	switch {
	case titles[word]:
		return introTitle
	case roles[word]:
		return introRole
	case greetings[word] && word == strings.ToLower(trimmed[from:]):
		return introGreeting
	case endsWithOne(trimmed, phrases):
		return introTitle
	}
	return introNone
}

// endsWithOne reports whether s ends with one of the phrases, as whole words.
func endsWithOne(s string, phrases []string) bool {
	s = strings.ToLower(s[max(0, len(s)-32):])
	return slices.ContainsFunc(phrases, func(p string) bool {
		return strings.HasSuffix(s, p) && (len(s) == len(p) || !letters[s[len(s)-len(p)-1]] && s[len(s)-len(p)-1] < utf8.RuneSelf)
	})
}

// A personName is the result of nameOf.
type personName struct {
	words int  // capitalized ones
	end   int  // after the last one
	given bool // the first one is a listed given name
	thing bool // a word says that this is a place, a company or a work
	more  bool // the text ended before the name did
}

// nameOf reads up to three capitalized words with initials and particles between them. It
// also looks at the word after them.
func nameOf(text string, at int, atEOF bool) personName {
	var n personName
	for from := at; n.words < 4; {
		word, end := nameWord(text, from)
		if end == len(text) && !atEOF {
			n.more = true
			return n
		}
		lower := strings.ToLower(word)
		switch {
		case things[lower]:
			n.thing = n.words > 0
			return n
		case word == "" || stops[lower] || titles[lower] || n.words == 3:
			if n.words == 0 {
				return n
			}
			end := passLittle(text, from)
			switch {
			case end == len(text) && !atEOF:
				n.more = true
				return n
			case end == from || end == len(text):
				return n
			}
			from = end
			continue
		}
		if n.words == 0 {
			n.given = givenNames()[word]
		}
		n.words++
		n.end = end
		if strings.HasSuffix(text[from:end], "'s") || strings.HasSuffix(text[from:end], "’s") {
			n.end = from + len(word)
			return n
		}
		blank := blankLen(text, end)
		if blank == 0 {
			return n
		}
		from = end + blank
	}
	return n
}

// passLittle returns the place after an initial or a particle and the blank after it. If
// there is none, it returns the same place.
func passLittle(text string, at int) int {
	i := at
	for i < len(text) && i-at < 6 && letters[text[i]] {
		i++
	}
	word := text[at:i]
	initial := len(word) == 1 && word[0] <= 'Z'
	if initial && i < len(text) && text[i] == '.' {
		i++
	}
	switch {
	case i == len(text):
		return i
	case !initial && !particles[word] || blankLen(text, i) == 0:
		return at
	}
	return i + blankLen(text, i)
}

// nameWord reads a capitalized word of letters, hyphens and apostrophes. It returns the
// word, or "" if a name can't contain it, and the place where reading stopped.
func nameWord(text string, at int) (word string, end int) {
	capitals, n := 0, 0
	end = at
	for end < len(text) {
		r, size := utf8.DecodeRuneInString(text[end:])
		if !unicode.IsLetter(r) && r != '-' && r != '\'' && r != '’' {
			break
		}
		if unicode.IsUpper(r) {
			capitals++
		} else if end == at {
			return "", end
		}
		n++
		end += size
	}
	word = text[at:end]
	if n < 2 || n > 20 || capitals > 1+strings.Count(word, "-")+strings.Count(word, "'")+strings.Count(word, "’")+strings.Count(word, "Mc")+strings.Count(word, "Mac") ||
		end < len(text) && (text[end] == '_' || detect.Digits[text[end]]) {
		return "", end
	}
	word = strings.TrimSuffix(strings.TrimSuffix(word, "'s"), "’s")
	return word, end
}
