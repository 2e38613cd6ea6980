// Package markdown loads Markdown files, with the sections under their headings. The blocks
// are those of CommonMark, as goldmark reads them.
package markdown
