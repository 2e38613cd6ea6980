// Package modeltest checks that a wrapper of a model keeps the contract that
// lets wrappers compose.
package modeltest
