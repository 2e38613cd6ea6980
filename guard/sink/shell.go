package sink

import (
	"fmt"
	"slices"
	"strings"
)

// A CommandError reports what a command line contains beyond one plain command.
type CommandError struct {
	Offset int // in bytes
	Reason string
}

func (e *CommandError) Error() string {
	return fmt.Sprintf("sink: the command line at byte %d: %s", e.Offset, e.Reason)
}

// A Program describes how a program may be called.
type Program struct {
	Name  string   // as written in the command line: no path
	Flags []string // options that it may be given, such as "-n" or "--max-count"; a value may follow after "="; nil or empty: none
}

// ParseCommand parses a model's command line as a POSIX shell would and returns the
// words to run with os/exec, without a shell. It admits one simple command of a
// program that is listed: plain, quoted and escaped words. Everything else that a
// shell can do is an error, a [*CommandError]. So is an option that isn't listed,
// since tar --to-command=sh starts a shell by itself. "--" ends the options.
func ParseCommand(line string, programs []Program) ([]string, error) {
	words, at, err := split(line)
	if err != nil {
		return nil, err
	}
	if len(words) == 0 {
		return nil, &CommandError{0, "it is empty"}
	}
	i := slices.IndexFunc(programs, func(p Program) bool { return p.Name == words[0] })
	if i < 0 {
		return nil, &CommandError{at[0], "the program isn't listed"}
	}
	options := true
	for j, w := range words[1:] {
		if !options || !strings.HasPrefix(w, "-") || w == "-" {
			continue
		}
		if w == "--" {
			options = false
			continue
		}
		flag, _, _ := strings.Cut(w, "=")
		if !slices.Contains(programs[i].Flags, flag) {
			return nil, &CommandError{at[j+1], "the option isn't listed"}
		}
	}
	return words, nil
}

// split takes a line apart into words and where they begin.
func split(line string) (words []string, at []int, err error) {
	var word strings.Builder
	inWord := false
	start := 0
	begin := func(i int) {
		if !inWord {
			inWord, start = true, i
		}
	}
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == ' ' || c == '\t':
			if inWord {
				words, at, inWord = append(words, word.String()), append(at, start), false
				word.Reset()
			}
		case c == '\'':
			begin(i)
			end := strings.IndexByte(line[i+1:], '\'')
			if end < 0 {
				return nil, nil, &CommandError{i, "a quote isn't closed"}
			}
			word.WriteString(line[i+1 : i+1+end])
			i += end + 1
		case c == '"':
			begin(i)
			end, text, err := doubleQuoted(line, i)
			if err != nil {
				return nil, nil, err
			}
			word.WriteString(text)
			i = end
		case c == '\\':
			begin(i)
			if i+1 == len(line) || line[i+1] == '\n' {
				return nil, nil, &CommandError{i, "a line that continues on the next one"}
			}
			i++
			word.WriteByte(line[i])
		case strings.IndexByte(";&|<>()$`*?[]{}~!#\n\r\x00", c) >= 0:
			return nil, nil, &CommandError{i, fmt.Sprintf("%q has a meaning to the shell: put it in single quotes", c)}
		case c == '=' && len(words) == 0:
			return nil, nil, &CommandError{i, "a variable before the command"}
		default:
			begin(i)
			word.WriteByte(c)
		}
	}
	if inWord {
		words, at = append(words, word.String()), append(at, start)
	}
	return words, at, nil
}

// doubleQuoted reads what is in double quotes from a place on, and returns where the
// closing quote is.
func doubleQuoted(line string, open int) (end int, text string, err error) {
	var b strings.Builder
	for i := open + 1; i < len(line); i++ {
		switch c := line[i]; {
		case c == '"':
			return i, b.String(), nil
		case c == '$' || c == '`' || c == '!':
			return 0, "", &CommandError{i, "an expansion in quotes"}
		case c == '\\' && i+1 < len(line) && strings.IndexByte("$`\"\\", line[i+1]) >= 0:
			i++
			b.WriteByte(line[i])
		case c == 0 || c == '\n' || c == '\r':
			return 0, "", &CommandError{i, "a line break in quotes"}
		default:
			b.WriteByte(c)
		}
	}
	return 0, "", &CommandError{open, "a quote isn't closed"}
}
