package rag

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tmc/langchaingo/llms"

	"github.com/prodailabs/prodai/retrieve/bm25"
)

// intent is what kind of answer a question asks for.
type intent uint8

const (
	intentOther  intent = iota
	intentDefine        // what something is
	intentShow          // a program
)

// An asked is a question, or one part of it, as the ranker reads it.
type asked struct {
	text    string
	intent  intent
	subject map[string]bool   // of intentDefine: the stems of what is to be defined
	names   []map[string]bool // the stems of what is asked for by name: the subject, and what is compared
	words   map[string]bool   // stems
	around  map[string]bool   // stems of the rest of the question and of earlier turns
}

// define matches the beginning of a question for a definition, and what is to be
// defined.
var define = regexp.MustCompile(`(?i)(?:^|[.,;:!?]\s+)(?:and |so |please |hi |hello )*(?:(?:can|could) you (?:please )?)?(?:what(?:'s|’s|s| is| are| was)?|wh?at'?s? (?:is|are)|wh?at does|define|explain(?: to me)?(?: what)?|tell me what|meaning of|what do you mean by)\s+(?:exactly |actually )?(?:(?:a|an|the|is|are) )*(.+)$`)

// defineTail is what may follow the name of what is to be defined.
var defineTail = regexp.MustCompile(`(?i)\s*(?:[,;.?!(]| (?:mean(?:s|ing)?|stands? for|in|for|and|or|do(?:es)?|is|are|please|exactly|really|again|when|how|why|to|with)\b).*$`)

// show matches a question for a program.
var show = regexp.MustCompile(`(?i)\b(?:show|give|write)\b.{0,20}\b(?:code|program|example|snippet|how)\b|\b(?:code|program|example|snippet)\b.{0,12}\b(?:for|that|to|of|in go)\b|^show me\b`)

// compared matches a question for the difference of two things.
var compared = regexp.MustCompile(`(?i)\b(?:differences? (?:between|of)|compare)\s+(.+?)\s+(?:and|with|to|from)\s+(.+)$|^(.+?)\s+(?:vs\.?|versus)\s+(.+)$`)

// Compared returns the two things whose difference a question asks for, as "P2C vs EWMA"
// and "the difference between P2C and EWMA" do; nil if it compares nothing. A search for
// each of them finds what a search for the question may miss.
func Compared(question string) []string {
	if len(question) > longQuestion {
		return nil
	}
	m := compared.FindStringSubmatch(question)
	if m == nil {
		return nil
	}
	return []string{strings.Trim(m[1]+m[3], " ?!.,"), strings.Trim(m[2]+m[4], " ?!.,")}
}

func newAsked(text, around string) asked {
	a := asked{text: text, words: set(Terms(text)), around: set(Terms(around))}
	for w := range a.words {
		delete(a.around, w)
	}
	if len(text) > longQuestion {
		return a
	}
	for _, side := range Compared(text) {
		a.names = append(a.names, set(Terms(strings.ToLower(side))))
	}
	switch m := define.FindStringSubmatch(text); {
	case show.MatchString(text):
		a.intent = intentShow
	case m != nil:
		if s := set(Terms(strings.ToLower(defineTail.ReplaceAllString(m[1], "")))); len(s) > 0 && len(s) <= 5 {
			a.intent, a.subject = intentDefine, s
		}
	case len(strings.Fields(text)) <= 3 && len(a.words) > 0: // the words of a search box
		a.intent, a.subject = intentDefine, set(Terms(strings.ToLower(text)))
	}
	a.names = append(a.names, a.subject)
	return a
}

// AsksForCode reports whether a question asks for a program, as "show me" does.
func AsksForCode(question string) bool {
	return len(question) <= longQuestion && show.MatchString(question)
}

// askingWords are words of questions that tell nothing of their subject.
var askingWords = func() map[string]bool {
	out := map[string]bool{}
	for _, w := range bm25.English(`please explain tell show me mean means meaning thing things something simple words question difference different
		between compared compare versus vs better best good bad need want use using used work works way ways kind kinds really actually exactly just
		also much many long know understand think help someone people get make give do does again example code program write now say called
		why's what's whats shouldn't shouldnt doesnt dont cant can't isnt wont happen happens reason important problem going always sometimes`) {
		out[w] = true
	}
	return out
}()

// Terms returns the stems of the words of a question that tell what it is about:
// those of [bm25.English] without words such as "explain" and "difference". If there
// are no others, it returns them all.
func Terms(question string) []string {
	all := bm25.English(question)
	var out []string
	for _, w := range all {
		if !askingWords[w] {
			out = append(out, w)
		}
	}
	if out == nil {
		return all
	}
	return out
}

// numberedPart is the mark before a part of a question: "1) ", "(b) ".
var numberedPart = regexp.MustCompile(`(?:^|\s)\(?(?:[1-9]|[a-e])\)\s+`)

// nextPart is where a question goes on with another one.
var nextPart = regexp.MustCompile(`(?i)[?;]\s+|,?\s+(?:and|then|or)\s+(?:then\s+)?((?:what|why|how|when|where|which|who|is it|is there|are there|do i|does it|should i|can i|do you)\b)|,\s+(?:then\s+)?((?:what|why|how|when|which)\s+(?:is|are|does|do|can|should)\b)|,\s+and\s+((?:is|are|does|do|can|should|will)\b)`)

// longQuestion is the length in bytes of a text that is more than a question: it is
// looked at as a whole.
const longQuestion = 2000

// maxParts bounds the parts that a question is cut into.
const maxParts = 4

// Parts cuts a question that asks several things into its parts, in order: "What is a
// canary, and how long does it run?" has two. Most questions have one part. Context
// of a sentence before a question, such as "My bill doubled.", is in the part after it. A text of
// more than 2,000 bytes has one part.
func Parts(question string) []string {
	question = strings.Join(strings.Fields(question), " ")
	if len(question) > longQuestion {
		return []string{question}
	}
	var raw []string
	if marks := numberedPart.FindAllStringIndex(question, -1); len(marks) > 1 {
		for i, m := range marks {
			end := len(question)
			if i+1 < len(marks) {
				end = marks[i+1][0]
			}
			raw = append(raw, question[m[1]:end])
		}
	} else {
		at := 0
		for _, m := range nextPart.FindAllStringSubmatchIndex(question, -1) {
			end, next := m[0]+1, m[1] // after ? and ;
			for g := 2; g < len(m); g += 2 {
				if m[g] >= 0 {
					end, next = m[0], m[g]
				}
			}
			raw = append(raw, question[at:end])
			at = next
		}
		raw = append(raw, question[at:])
	}
	var out []string
	for _, part := range raw {
		part = strings.Trim(part, " ,;")
		if part == "" {
			continue
		}
		// What has no subject of its own goes on with the part before.
		if len(out) > 0 && (len(Terms(part)) < 1 || len(bm25.English(part)) == 0 || len(out) == maxParts) {
			out[len(out)-1] += " " + part
			continue
		}
		out = append(out, part)
	}
	if len(out) == 0 {
		return []string{question}
	}
	return out
}

// pointing are words that stand for something of an earlier turn.
var pointing = regexp.MustCompile(`(?i)\b(?:it|its|that|this|these|those|they|them|one|ones|there|then|also|too|instead|else)\b|^(?:and|but|so|why not|how so|really|or)\b`)

// Standalone returns a question with what it leaves to the turns before it: the words
// of the user's last question and of the answer's first sentence, if the question
// points back ("Is it slow?") or has hardly a word of its own. A question that is
// complete by itself is returned as it is, with ok false.
func Standalone(question string, history []llms.MessageContent) (full string, ok bool) {
	own := Terms(question)
	if len(own) > 4 || len(own) > 1 && !pointing.MatchString(question) {
		return question, false
	}
	user, answer := lastTurns(history)
	if user == "" && answer == "" {
		return question, false
	}
	return strings.TrimSpace(question + " " + user + " " + firstSentence(answer)), true
}

// lastTurns returns the user's last question in a conversation and the answer to it.
func lastTurns(history []llms.MessageContent) (user, answer string) {
	for _, m := range history {
		text := ""
		for _, p := range m.Parts {
			if t, ok := p.(llms.TextContent); ok {
				text += t.Text
			}
		}
		switch m.Role {
		case llms.ChatMessageTypeHuman, llms.ChatMessageTypeGeneric:
			user, answer = text, ""
		case llms.ChatMessageTypeAI:
			answer = text
		}
	}
	return user, answer
}

func firstSentence(text string) string {
	text = strings.TrimSpace(strings.NewReplacer("*", "", ">", "").Replace(text))
	if strings.HasPrefix(text, UnknownAnswer) {
		return ""
	}
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "")
	}
	return text
}

// grammar are the commonest words of some languages, which English has not.
var grammar = func() map[string]string {
	out := map[string]string{}
	for language, words := range map[string]string{
		"German":     "der das ist und wie warum wieso was nicht ein eine einen einem für mit auf den dem zwischen woran wann welche welcher ich kann man wird werden sind wofür oder über von zu bei mein meine gibt soll sollte",
		"French":     "le les la de un est et comment pourquoi que qu'est-ce ce que une des du dans pour avec quelle quel entre sont je puis peut-on peut pas sur au aux est-ce quand faut fait",
		"Spanish":    "la de en y un el los las qué cómo por por-qué una es son para con entre cuál cuándo puedo debo no del un mi hay está hacer sirve basta",
		"Italian":    "il lo gli la un questi questo non ho nel che cosa è come perché una di per con tra quale sono posso della del dei quando serve",
		"Portuguese": "ou cada um o os as que é como por porque uma para com entre qual são posso não do da dos quando meu",
		"Dutch":      "het een wat hoe waarom is van voor met tussen welke kan ik niet zijn wanneer",
		"Polish":     "co jest jak dlaczego czy nie dla się jaka jaki kiedy między",
		"Turkish":    "nedir nasıl neden bir ve için ne arasındaki mı mi",
	} {
		for w := range strings.FieldsSeq(words) {
			if prior, ok := out[w]; ok && prior != language {
				out[w] = "another language"
				continue
			}
			out[w] = language
		}
	}
	for w := range strings.FieldsSeq("is a an no me as do in on for i o has to was man so ones per one come die") { // words of English too
		delete(out, w)
	}
	return out
}()

// Language returns the language of a question, as far as its commonest words tell it:
// "German", "another language"; "" for English or if it isn't known.
func Language(question string) string {
	letters, foreign := 0, 0
	for _, r := range question {
		if unicode.IsLetter(r) {
			letters++
			if !unicode.In(r, unicode.Latin) {
				foreign++
			}
		}
	}
	if letters > 0 && 3*foreign > letters {
		return "another language"
	}
	votes := map[string]int{}
	words := strings.FieldsFunc(strings.ToLower(question), func(r rune) bool {
		return !unicode.IsLetter(r) && r != '-' && r != '\'' && r != utf8.RuneError
	})
	english := 0
	if strings.ContainsAny(question, "¿¡") {
		votes["Spanish"]++
	}
	for _, w := range words {
		if l := grammar[w]; l != "" {
			votes[l]++
		} else if strings.ContainsFunc(w, func(r rune) bool { return r > unicode.MaxASCII && unicode.IsLetter(r) }) {
			votes["another language"]++
		}
		if englishGrammar[w] {
			english++
		}
	}
	best, most, sum := "", 0, 0
	for l, n := range votes {
		sum += n
		if n > most || n == most && l < best {
			best, most = l, n
		}
	}
	if sum < 2 || sum <= english || 6*sum < len(words) {
		return ""
	}
	return best
}

var englishGrammar = func() map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq("the is are what how why when which who where do does did can could should would will my your of to in on for with and or not an it this that be have has if from at by you we they i between") {
		out[w] = true
	}
	return out
}()
