package llama

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A pretokenizer cuts a text into words, inside which symbols are merged. The models'
// authors wrote regular expressions with look-ahead, which Go's package regexp does not
// have; these rules are what those expressions say.
type pretokenizer struct {
	// gpt2: a word is one of 's 't 're 've 'm 'll 'd, or letters, digits or other
	// characters with one space before them, or white space. Otherwise the rules of
	// cl100k: contractions of any case, letters with one other character before them,
	// digits without a space, and line ends apart.
	gpt2 bool
	// digits is the most digits of a word; 0: no bound.
	digits int
	// alone cuts each digit off before the other rules.
	alone bool
	// llama3: a word that is a token is taken as it is, even if no row of merges makes it;
	// and a text has a begin token if the file doesn't state otherwise.
	llama3 bool
}

// pretokenizers by tokenizer.ggml.pre.
var pretokenizers = map[string]pretokenizer{
	"gpt-2":     {gpt2: true},
	"smollm":    {gpt2: true, alone: true},
	"qwen2":     {digits: 1},
	"llama-bpe": {digits: 3, llama3: true},
	"llama3":    {digits: 3, llama3: true},
}

func isLetter(r rune) bool { return unicode.IsLetter(r) }
func isNumber(r rune) bool { return unicode.IsNumber(r) }

// isSpace is the \s of the reference's expressions.
func isSpace(r rune) bool { return unicode.IsSpace(r) }

// words calls yield for each word of the text.
func (p pretokenizer) words(text string, yield func(string)) {
	if !p.alone {
		p.plain(text, yield)
		return
	}
	for len(text) > 0 {
		i := strings.IndexFunc(text, isNumber)
		if i < 0 {
			i = len(text)
		}
		p.plain(text[:i], yield)
		text = text[i:]
		if text != "" {
			_, n := utf8.DecodeRuneInString(text)
			yield(text[:n])
			text = text[n:]
		}
	}
}

func (p pretokenizer) plain(text string, yield func(string)) {
	next := p.cl100k
	if p.gpt2 {
		next = p.gpt2Word
	}
	for len(text) > 0 {
		n := next(text)
		yield(text[:n])
		text = text[n:]
	}
}

// while returns how many bytes at the begin of text fulfill is.
func while(text string, is func(rune) bool) int {
	for i, r := range text {
		if !is(r) {
			return i
		}
	}
	return len(text)
}

func isOther(r rune) bool { return !isSpace(r) && !isLetter(r) && !isNumber(r) }

func contraction(text string) int {
	for _, c := range []string{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"} {
		if strings.HasPrefix(text, c) {
			return len(c)
		}
	}
	return 0
}

func (p pretokenizer) gpt2Word(text string) int {
	if n := contraction(text); n > 0 {
		return n
	}
	space := 0
	if text[0] == ' ' {
		space = 1
	}
	for _, is := range []func(rune) bool{isLetter, isNumber, isOther} {
		if n := while(text[space:], is); n > 0 {
			return space + n
		}
	}
	return whiteSpace(text)
}

// whiteSpace is \s+(?!\S)|\s+: of white space before a word the last character is left,
// since it belongs to the word.
func whiteSpace(text string) int {
	n := while(text, isSpace)
	if n == len(text) {
		return n
	}
	_, last := utf8.DecodeLastRuneInString(text[:n])
	if n > last {
		return n - last
	}
	return n
}

func (p pretokenizer) cl100k(text string) int {
	if text[0] == '\'' {
		if n := contraction(strings.ToLower(text[:min(3, len(text))])); n > 0 {
			return n
		}
		if n := longS(text); n > 0 {
			return n
		}
	}
	first, size := utf8.DecodeRuneInString(text)
	if !isLetter(first) && !isNumber(first) && first != '\r' && first != '\n' {
		if n := while(text[size:], isLetter); n > 0 {
			return size + n
		}
	}
	if n := while(text, isLetter); n > 0 {
		return n
	}
	if isNumber(first) {
		n := 0
		for i := 0; i < p.digits && n < len(text); i++ {
			r, k := utf8.DecodeRuneInString(text[n:])
			if !isNumber(r) {
				break
			}
			n += k
		}
		return n
	}
	space := 0
	if first == ' ' {
		space = 1
	}
	if n := while(text[space:], isOther); n > 0 {
		n += space
		return n + while(text[n:], isLineEnd)
	}
	spaces := while(text, isSpace)
	if i := strings.LastIndexAny(text[:spaces], "\r\n"); i >= 0 {
		return i + 1
	}
	return whiteSpace(text)
}

func isLineEnd(r rune) bool { return r == '\r' || r == '\n' }

// longS is 's with the long s, which folds to s without regard to case.
func longS(text string) int {
	if strings.HasPrefix(text, "'ſ") {
		return len("'ſ")
	}
	return 0
}
