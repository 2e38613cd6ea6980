// Package langchain is a port of langchain-text-splitters 1.1.3 (Python): for the
// same text and options it makes the same passages, character for character.
//
// # The idea
//
// Use this package to go on with an index that was made with LangChain, or to
// compare with results that others have published. For new work use
// [github.com/prodailabs/prodai/chunk] instead: its chunkers keep the size asked
// for, keep the place of every passage in the source, and know the structure of
// markdown, HTML, JSON, Go and LaTeX.
//
// The table gives, for each splitter of LangChain, its name here and what to take
// instead in package chunk:
//
//	langchain (Python)                        here                  instead, in package chunk
//	RecursiveCharacterTextSplitter            New                   NewRecursive
//	RecursiveCharacterTextSplitter with
//	  from_language                           New, Separators       NewGo, NewMarkdown, NewHTML, NewLaTeX
//	CharacterTextSplitter                     New, Character        NewRecursive
//	TokenTextSplitter                         chunk.NewWindows      NewRecursive with Tokens
//	MarkdownHeaderTextSplitter                Markdown              NewMarkdown
//	ExperimentalMarkdownSyntaxTextSplitter    MarkdownSyntax        NewMarkdown
//	HTMLHeaderTextSplitter                    HTML                  NewHTML
//	RecursiveJsonSplitter                     JSON                  NewJSON
//
// Golden files that the Python package wrote check that the passages are equal.
// They are equal also where the original is odd: a piece that no separator cuts
// stays larger than the size, and a code fence that isn't closed is lost with all
// that follows it. One thing differs: regular expressions are Go's (RE2), so of
// lookaround only the forms that LangChain's own tables use are known.
//
// # Pitfalls
//
//   - Don't rely on the size with a token counter: LangChain compares it with the
//     sum of the parts' counts, and a passage may have more or fewer tokens. Do use
//     package chunk where a size must hold.
//   - Don't expect every passage in the source: with [KeepNone] separators are
//     removed, and a passage that isn't in the source has a Start of -1.
//   - Don't cite the sections of [Markdown] and [HTML] by position: they are
//     rewritten text without offsets.
//
// # Questions
//
// How do I make the same chunks as LangChain in Go? To make the same chunks as
// LangChain, use [New] with the size and overlap that the Python program had: for
// the same text it makes the same passages as RecursiveCharacterTextSplitter.
// [Separators] has the separators of each programming language.
//
// Should I use this package or package chunk? Use this package only to match
// existing chunks of LangChain. Package chunk keeps sizes exactly, keeps offsets
// for citations, and follows the structure of documents.
package langchain
