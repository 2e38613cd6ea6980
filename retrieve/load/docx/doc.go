// Package docx loads Word documents (Office Open XML): their paragraphs and tables, in order,
// with the number of the paragraph. It needs the standard library only.
package docx
