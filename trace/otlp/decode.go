package otlp

import (
	"encoding/binary"
	"errors"
)

var errWire = errors.New("not protobuf")

// fields calls see for each field of a message; data is the bytes of a
// length-delimited field, number the value of any other.
func fields(message []byte, see func(field int, number uint64, data []byte) error) error {
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<29 {
			return errWire
		}
		message = message[n:]
		var number uint64
		var data []byte
		switch tag & 7 {
		case wireVarint:
			if number, n = binary.Uvarint(message); n <= 0 {
				return errWire
			}
		case wireI64:
			if n = 8; len(message) < n {
				return errWire
			}
			number = binary.LittleEndian.Uint64(message)
		case wireI32:
			if n = 4; len(message) < n {
				return errWire
			}
			number = uint64(binary.LittleEndian.Uint32(message))
		case wireBytes:
			length, m := binary.Uvarint(message)
			if m <= 0 || length > uint64(len(message)-m) {
				return errWire
			}
			n = m + int(length)
			data = message[m:n]
		default:
			return errWire
		}
		message = message[n:]
		if err := see(int(tag>>3), number, data); err != nil {
			return err
		}
	}
	return nil
}

// partialSuccess reads an ExportTraceServiceResponse: how many spans the receiver
// refused, and why.
func partialSuccess(body []byte) (rejected int64, message string, err error) {
	err = fields(body, func(field int, _ uint64, data []byte) error {
		if field != 1 {
			return nil
		}
		return fields(data, func(field int, number uint64, data []byte) error {
			switch field {
			case 1:
				rejected = int64(number)
			case 2:
				message = string(data)
			}
			return nil
		})
	})
	return rejected, message, err
}
