// Package fit makes conversations fit into a model's context window.
package fit
