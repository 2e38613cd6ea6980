package secret

import (
	"math"
	"strings"
)

// secretValue reports whether a value that a text gives to a secret's name looks like a
// secret. The less the link proves, the more the value must prove.
func secretValue(value string, l link) bool {
	if !random(value) || placeholder(value) || codeLike(value, l.quote != 0, l.tight) {
		return false
	}
	switch {
	case l.weak:
		return (l.quote != 0 || l.tight) && len(value) >= 20 && !strings.ContainsAny(value, "./:") && mixed(value)
	case l.kind == linkPair:
		return turns(value) >= 3 || turns(value) == 2 && mixed(value)
	case l.kind == linkUser || l.kind == linkSaid || l.kind == linkCall || l.kind == linkOption || strings.Contains(value, "/"):
		return mixed(value) || lettersOnly(value)
	}
	return true
}

// codeLike reports whether a value is an identifier, a selector or a call rather than a
// secret: net.Conn2, testP256PrivateKey.
func codeLike(value string, quoted, tight bool) bool {
	switch {
	case lettersOnly(value):
		return !scrambled(value) || !quoted && !tight
	case !strings.ContainsAny(value, "0123456789"):
		return !quoted || !strings.ContainsAny(value, "+/=~!@#$%^*?")
	case strings.HasPrefix(value, "0x") || strings.HasPrefix(value, "-") || value[0] == '{' && !quoted:
		return true
	case strings.Contains(value, "://") || strings.Contains(value, "$(") || strings.Contains(value, `:"`) || strings.Contains(value, `="`):
		return true
	case quoted || value[0] >= '0' && value[0] <= '9':
		return false
	case strings.ContainsRune(value, '.'):
		return turns(value) < 5 && !strings.Contains(value, "~")
	}
	name, _ := cutName(value[max(0, len(value)-maxName):])
	return nameOf(name) == nameStrong
}

// lettersOnly reports whether s has only letters of ASCII.
func lettersOnly(s string) bool { return alpha.Run(s, 0, len(s)) == len(s) }

// shortestLetters is the least length of a secret that consists of letters.
const shortestLetters = 12

// scrambled reports whether capital and small letters change too often for a name. Of
// random letters half are capital, and only a few in a row have the same case. In
// parseHTMLDocument one letter in three is capital, and seven in a row are small.
func scrambled(s string) bool {
	capitals, run, longest := 0, 0, 0
	for i := range len(s) {
		if s[i]&0x20 == 0 {
			capitals++
		}
		if i > 0 && (s[i]^s[i-1])&0x20 == 0 {
			run++
		} else {
			run = 1
		}
		longest = max(longest, run)
	}
	return len(s) >= shortestLetters && longest <= 5 && capitals*100 >= 33*len(s) && capitals*100 <= 67*len(s)
}

// mixed reports whether letters and digits change too often for words and versions such as
// user_id2 and 1.2.3-beta4. A digit and one of the signs that are frequent in passwords
// are enough too.
func mixed(s string) bool {
	return turns(s) >= 3 || strings.ContainsAny(s, "!@#$%^&*~+") && strings.ContainsAny(s, "0123456789")
}

// turns counts the places where a digit follows a letter or a letter follows a digit.
func turns(s string) (n int) {
	for i := 1; i < len(s); i++ {
		a, b := s[i-1], s[i]
		if alpha[a] && b >= '0' && b <= '9' || alpha[b] && a >= '0' && a <= '9' {
			n++
		}
	}
	return n
}

// The least entropy of a secret, in bits a byte. English text of 20 letters has about 3.5,
// but contains no digits. Hexadecimal digits have 4 at most; 16 of them have about 3.
const (
	minEntropy    = 3
	minHexEntropy = 2.6
)

// longNumber is the least length of a secret that consists of digits.
const longNumber = 24

// random reports whether s looks generated: long enough, several classes of characters,
// letters and digits mixed rather than a word with a number after it, and a high entropy.
func random(s string) bool {
	if len(s) < 8 {
		return false
	}
	var count [256]int
	var lower, upper, digit, other, changes int
	last := 0
	for i := range len(s) {
		b := s[i]
		count[b]++
		var class int
		switch {
		case b >= 'a' && b <= 'z':
			lower, class = 1, 1
		case b >= 'A' && b <= 'Z':
			upper, class = 1, 2
		case b >= '0' && b <= '9':
			digit, class = 1, 3
		default:
			other, class = 1, 4
		}
		if class != last && i > 0 {
			changes++
		}
		last = class
	}
	switch {
	case digit+other == 0:
		return upper+lower == 2 && scrambled(s)
	case lower+upper == 0:
		return other == 0 && len(s) >= longNumber && !counting(s) && entropy(&count, len(s)) > minHexEntropy
	case changes < 3:
		return false
	case digit == 0 && (upper == 0 || len(s) > 24): // words-with-hyphens, path/to/File
		return false
	}
	least := min(minEntropy, math.Log2(float64(len(s)))-.5)
	if len(s) >= 16 && turns(s) >= 5 {
		least = minHexEntropy
	}
	return entropy(&count, len(s)) >= least
}

// counting reports whether most digits are one more than the digit before, as in
// 0123456789.
func counting(s string) bool {
	steps := 0
	for i := 1; i < len(s); i++ {
		if (s[i]-s[i-1]+10)%10 == 1 {
			steps++
		}
	}
	return steps*2 > len(s)
}

// entropy returns Shannon's entropy in bits a byte, of n bytes that occur as often as count
// has it.
func entropy(count *[256]int, n int) (bits float64) {
	for _, c := range count {
		if c > 0 {
			p := float64(c) / float64(n)
			bits -= p * math.Log2(p)
		}
	}
	return bits
}
