// Package langchain is a port of langchain-text-splitters 1.1.3 (Python): for
// the same text and options it makes the same passages, character for character.
//
// Use it to go on with an index that was made with langchain, or to compare with
// results that others published. For new work use package chunk instead: its
// chunkers keep the size asked for, keep the place of every passage in the
// source, and know the structure of markdown, HTML, JSON, Go and LaTeX.
//
//	langchain (Python)                        here                  instead, in package chunk
//	RecursiveCharacterTextSplitter            [New]                 NewRecursive
//	RecursiveCharacterTextSplitter with
//	  from_language                           [New], [Separators]   NewGo, NewMarkdown, NewHTML, NewLaTeX
//	CharacterTextSplitter                     [New], Character      NewRecursive
//	TokenTextSplitter                         chunk.NewWindows      NewRecursive with Tokens
//	MarkdownHeaderTextSplitter                [Markdown]            NewMarkdown
//	ExperimentalMarkdownSyntaxTextSplitter    [MarkdownSyntax]      NewMarkdown
//	HTMLHeaderTextSplitter                    [HTML]                NewHTML
//	RecursiveJsonSplitter                     [JSON]                NewJSON
//
// Equality is proven by golden files that the Python package wrote. It is also
// kept where the original is odd: a piece that no separator cuts stays larger
// than the size, and a code fence that is not closed is lost with all that
// follows it. One thing differs: regular expressions are RE2's, so of look-around
// only the forms that langchain's own tables use are known.
//
// # Pitfalls
//
//   - The size counts parts, not the passage: with a token counter a passage may
//     have more or fewer tokens than the sum that was compared with the size.
//   - With [KeepNone] a passage may not be in the source: its Start is then -1.
//   - The sections of [Markdown] and [HTML] are rewritten text without offsets, so
//     they can't be cited by position.
package langchain
