package sink

import "strings"

// A sqlKind is the sort of a token.
type sqlKind uint8

const (
	sqlWord   sqlKind = iota // a keyword or a name
	sqlQuoted                // a name in quotes
	sqlString
	sqlNumber
	sqlMark // a placeholder: ?, $1, :name
	sqlPunct
	sqlComment
	sqlBad // a quote or comment that isn't closed, or a character that doesn't belong
)

type sqlToken struct {
	kind       sqlKind
	text       string // a word in lower case, a quoted name without its quotes
	start, end int
}

// lexSQL takes a statement apart, with the strings of the standard, of MySQL and of
// PostgreSQL. Where these differ the token is bad: '\” is one string to MySQL
// and a string and a half to PostgreSQL, which is how injections begin.
func lexSQL(q string) []sqlToken {
	var tokens []sqlToken
	for i := 0; i < len(q); {
		start := i
		c := q[i]
		add := func(kind sqlKind, text string, end int) {
			tokens = append(tokens, sqlToken{kind, text, start, end})
			i = end
		}
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v':
			i++
		case strings.HasPrefix(q[i:], "--") || c == '#':
			end := strings.IndexByte(q[i:], '\n')
			if end < 0 {
				end = len(q) - i
			}
			add(sqlComment, "", i+end)
		case strings.HasPrefix(q[i:], "/*"):
			if end := strings.Index(q[i+2:], "*/"); end >= 0 {
				add(sqlComment, "", i+2+end+2)
			} else {
				add(sqlBad, "", len(q))
			}
		case c == '\'' || c == '"' || c == '`':
			end, ok := sqlQuote(q, i)
			switch {
			case !ok:
				add(sqlBad, "", end)
			case c == '\'':
				add(sqlString, q[start:end], end)
			default:
				add(sqlQuoted, strings.ToLower(strings.ReplaceAll(q[start+1:end-1], string(c)+string(c), string(c))), end)
			}
		case isDigit(c) || c == '.' && i+1 < len(q) && isDigit(q[i+1]):
			end := sqlRun(q, i, '.')
			add(sqlNumber, q[start:end], end)
		case c == '?' || c == '$' && i+1 < len(q) && isDigit(q[i+1]) || c == ':' && i+1 < len(q) && isAlnum(q[i+1]) && (i == 0 || q[i-1] != ':'):
			end := sqlRun(q, i+1, '_')
			add(sqlMark, q[start:end], end)
		case isAlnum(c) || c == '_' || c >= 0x80:
			end := sqlRun(q, i, '_')
			for end < len(q) && q[end] >= 0x80 {
				end = sqlRun(q, end+1, '_')
			}
			add(sqlWord, strings.ToLower(q[start:end]), end)
		case strings.IndexByte("()*,.;=<>+-/%|[]:~^&!", c) >= 0:
			add(sqlPunct, string(c), i+1)
		default:
			add(sqlBad, "", i+1)
		}
	}
	return tokens
}

// sqlRun returns where the letters, digits and further bytes end that are at a place.
func sqlRun(q string, at int, further byte) int {
	for at < len(q) && (isAlnum(q[at]) || q[at] == further) {
		at++
	}
	return at
}

// sqlQuote returns where the quoted stretch that begins at a place ends, and
// whether all databases agree on it.
func sqlQuote(q string, at int) (end int, ok bool) {
	quote := q[at]
	for i := at + 1; i < len(q); i++ {
		switch {
		case q[i] == '\\' || q[i] == 0:
			return len(q), false
		case q[i] != quote:
		case i+1 < len(q) && q[i+1] == quote:
			i++
		default:
			return i + 1, true
		}
	}
	return len(q), false
}
