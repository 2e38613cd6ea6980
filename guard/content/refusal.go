package content

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// ErrOption reports an option or an argument that cannot work.
var ErrOption = errors.New("content: invalid option")

// RefusalOptions configure [NewRefusals].
type RefusalOptions struct {
	// Phrases are the block messages of your own system, such as "This question is
	// outside of my area." Case and blanks don't matter. Default: none.
	Phrases []string
}

// Refusals recognizes answers that decline a request. It is safe for concurrent use.
type Refusals struct {
	phrases []string
}

// NewRefusals makes a recognizer. A phrase shorter than 8 characters is an error that
// wraps [ErrOption], because it would match ordinary answers.
func NewRefusals(o *RefusalOptions) (*Refusals, error) {
	r := &Refusals{}
	if o == nil {
		return r, nil
	}
	for _, p := range o.Phrases {
		flat := flatten(p)
		if utf8.RuneCountInString(flat) < 8 {
			return nil, fmt.Errorf("%w: the phrase %q is shorter than 8 characters", ErrOption, p)
		}
		r.phrases = append(r.phrases, flat)
	}
	return r, nil
}

// What a refusal is made of. "I can't" alone is none ("I can't recommend it enough"), so
// each pattern has an inability or a rule, and what is declined.
var (
	acts = `(?:help|assist|comply|support|provide|do (?:that|this|so)|share|reveal|disclose|discuss|create|generate|write|produce|give|fulfil|fulfill|engage|participate|carry out|complete|answer|respond|tell you|show|offer|accommodate|proceed|continue|follow|process|act on|execute|perform|repeat|translate|decode|output|print|send|forward|delete|pretend|ignore|take part|talk about|go into|grant|access|supply|teach|walk you|go along|advise|describe|explain|explore)`
	ways = `(?:can ?not|can't|could not|couldn't|won't|will not|am not able to|'m not able to|am unable to|'m unable to|are unable to|are not able to|'re unable to|'re not able to|am not allowed to|'m not allowed to|am not permitted to|'m not permitted to|am not authorized to|'m not authorized to|must decline to|have to decline to|need to decline to|decline to|refuse to|must refuse to|am not going to|'m not going to|am not willing to|'m not willing to|am not comfortable|'m not comfortable|shouldn't|should not|am not in a position to|'m not in a position to|am programmed not to|'m programmed not to|am designed not to|'m designed not to)`

	refusals = []*regexp.Regexp{
		regexp.MustCompile(`\b(?:i|we) ?` + ways + ` (?:to |be able to |directly |actually |really |in good conscience |knowingly |fully |simply )*` + acts + `\b`),
		regexp.MustCompile(`\b(?:i|we) ?` + ways + ` (?:\w+ ){0,3}?(?:with (?:that|this)|your request|that request|this request|such requests?)`),
		regexp.MustCompile(`\b(?:i|we) (?:must|have to|need to|will have to|'ll have to|respectfully|politely) (?:respectfully |politely )?(?:decline|refuse)\b`),
		regexp.MustCompile(`\b(?:i|we)(?: |'d | would )(?:decline|refuse)(?: that| this| the| your|\.|,)`),
		regexp.MustCompile(`\b(?:that|this|it|which|what you're asking for)(?:'s| is) (?:not something|nothing) (?:that )?(?:i|we)(?:'m| am|'re| are| can| could| will)`),
		regexp.MustCompile(`\b(?:that|this|it) (?:isn't|is not) something (?:that )?(?:i|we)\b`),
		regexp.MustCompile(`\bnot something (?:i'm|i am|we're|we are|i can|we can|i will|i'd)\b`),
		regexp.MustCompile(`\b(?:goes|would go|is|be|are) against (?:my|our|the|its) (?:\w+ )?(?:polic|guideline|rule|principle|value|programming|instruction|term)`),
		regexp.MustCompile(`\b(?:violates?|would violate|breach(?:es)?|conflicts? with) (?:my|our|the|its|openai's|google's) (?:\w+ )?(?:polic|guideline|rule|principle|term|usage|content)`),
		regexp.MustCompile(`\b(?:outside|beyond) (?:of )?(?:my|our|the) (?:scope|area|guidelines|capabilities|remit|role|purpose)`),
		regexp.MustCompile(`\b(?:your|this|that|the) (?:request|prompt|message|question|input|content) (?:was|has been|is|had to be) (?:blocked|rejected|refused|declined|denied|filtered|flagged|not allowed|not permitted)`),
		regexp.MustCompile(`\b(?:sorry|apologi[sz]e|apologies|unfortunately|regret)\b[^.!?]{0,40}\b(?:i|we) ?` + ways + `\b`),
		regexp.MustCompile(`^(?:i'm |i am )?(?:very |so )?sorry[,.]? (?:but )?(?:no|that's not possible|that is not possible|not possible)\b`),
		regexp.MustCompile(`^(?:no|nope)[,.!] (?:i|we|that|this)\b`),
		regexp.MustCompile(`\b(?:let's|let us|can we|we could|i'd prefer to|i would prefer to|i'd rather) (?:talk about|discuss|move on|change|focus on) (?:something|a|the|another) ?(?:else|different|subject|topic)?`),
		regexp.MustCompile(`\b(?:access denied|permission denied|request denied|not authorized to (?:view|see|access)|i don't (?:feel comfortable|have permission|have access to share)|only (?:help|assist|answer) (?:you )?(?:with )?questions (?:about|on))`),
		// Other languages.
		regexp.MustCompile(`\b(?:ich kann|ich darf|ich werde|wir können|das kann ich|dabei kann ich|damit kann ich)\b[^.!?]{0,60}\b(?:nicht|leider nicht|kein|keine)\b[^.!?]{0,30}\b(?:helfen|weiterhelfen|unterstützen|beantworten|nachkommen|bereitstellen|verraten|preisgeben|geben|teilen|ausgeben|nennen|tun|mitteilen|erfüllen)`),
		regexp.MustCompile(`\b(?:tut mir leid|entschuldigung|leider)\b[^.!?]{0,60}\b(?:nicht|kein|keine)\b`),
		regexp.MustCompile(`\bje (?:ne|n') ?(?:peux|suis|pourrai|vais) (?:malheureusement )?(?:pas|pas en mesure)\b`),
		regexp.MustCompile(`\b(?:désolée?|malheureusement)\b[^.!?]{0,40}\bje n`),
		regexp.MustCompile(`\b(?:no puedo|no podemos|no me es posible|no estoy autorizado|no se me permite)\b`),
		regexp.MustCompile(`\b(?:não posso|não podemos|não consigo (?:ajudar|atender)|não estou autorizado)\b`),
		regexp.MustCompile(`\b(?:non posso|mi dispiace, ma|non sono in grado|non mi è permesso)\b`),
		regexp.MustCompile(`\b(?:ik kan (?:je |u )?(?:daar |hier )?(?:niet|helaas)|het spijt me, maar|dat kan ik niet)\b`),
		regexp.MustCompile(`(?:nie mogę|przykro mi|przepraszam, ale)`),
		regexp.MustCompile(`(?:не могу|к сожалению|я не буду)`),
		regexp.MustCompile(`(?:我不能|我无法|我不可以|抱歉|无法提供|不能提供|無法|拒绝)`),
		regexp.MustCompile(`(?:できません|できかねます|お手伝いできない|申し訳ありません|お答えできません)`),
		regexp.MustCompile(`(?:할 수 없습니다|도와드릴 수 없|죄송합니다)`),
	}

	// What looks like a refusal and is an answer.
	notRefusals = regexp.MustCompile(`\b(?:can't|cannot|couldn't|could not|can not) (?:help but|recommend (?:it|this|them) (?:enough|highly enough)|give (?:you )?enough|stress|emphasi[sz]e|show you a picture|wait to (?:help|share|show))`)

	quotedCode = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`|https?://\\S+")

	quoted = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`|\"[^\"\n]{0,300}\"|“[^”\n]{0,300}”|(?m:^ ?>[^\n]*$)")
)

// refusalHead and refusalTail are the parts of an answer in which it declines: a
// long answer that mentions an inability in its middle has answered.
const refusalHead, refusalTail = 400, 250

// Is reports whether an answer declines the request. It looks at the beginning and at
// the end of the answer, outside of quotes and code. An empty answer is none. Whether
// an answer also gave what was asked for is a question to ask first.
func (r *Refusals) Is(answer string) bool {
	flat := flatten(quoted.ReplaceAllString(answer, " … "))
	if flat == "" {
		return false
	}
	for _, p := range r.phrases {
		if strings.Contains(flat, p) {
			return true
		}
	}
	parts := []string{flat}
	if len(flat) > refusalHead+refusalTail {
		parts = []string{atRune(flat, refusalHead), flat[len(atRune(flat, len(flat)-refusalTail)):]}
	}
	for _, part := range parts {
		part = notRefusals.ReplaceAllString(part, "…")
		for _, p := range refusals {
			if p.MatchString(part) {
				return true
			}
		}
	}
	return false
}

// flatten returns a text in lower case with plain apostrophes and single blanks.
func flatten(s string) string {
	s = strings.NewReplacer("’", "'", "‘", "'", "ʼ", "'", "`", "'").Replace(strings.ToLower(s))
	return strings.Join(strings.Fields(s), " ")
}

// atRune returns the first n bytes of a text, fewer if that would cut a character.
func atRune(s string, n int) string {
	for n > 0 && n < len(s) && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:min(n, len(s))]
}
