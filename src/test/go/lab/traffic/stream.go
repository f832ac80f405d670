// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// blockSize is what stream sends at a time: a sequence number, filling, and a CRC-32 of both.
const blockSize = 1024

// streams keeps one TCP connection to each target and counts every block that comes back unchanged
// as a request. A connection that ends is counted as broken and opened anew.
func streams(ctx context.Context, o *options) {
	var all sync.WaitGroup
	for _, target := range o.targets {
		all.Go(func() {
			for ctx.Err() == nil {
				began := time.Now()
				connection, err := net.DialTimeout("tcp", target, o.timeout)
				if err != nil {
					o.report.done(target, began, "", err)
					wait(ctx, time.Second)
					continue
				}
				if !converse(ctx, o, target, connection) {
					o.report.broke()
				}
				connection.Close()
			}
		})
	}
	all.Wait()
}

// converse sends and checks blocks until ctx ends (true) or the connection fails (false).
func converse(ctx context.Context, o *options, target string, connection net.Conn) bool {
	back := make([]byte, blockSize)
	for sequence := uint64(0); ctx.Err() == nil; sequence++ {
		began := time.Now()
		block := newBlock(sequence)
		_ = connection.SetDeadline(began.Add(o.timeout))
		_, err := connection.Write(block)
		if err == nil {
			_, err = io.ReadFull(connection, back)
		}
		if err == nil && !bytes.Equal(block, back) {
			err = errors.New("the block came back changed")
		}
		o.report.done(target, began, "", err)
		if err != nil {
			return false
		}
		wait(ctx, o.interval)
	}
	return true
}

func newBlock(sequence uint64) []byte {
	block := make([]byte, blockSize)
	binary.BigEndian.PutUint64(block, sequence)
	for i := 8; i < blockSize-4; i++ {
		block[i] = byte(sequence + uint64(i)*31)
	}
	binary.BigEndian.PutUint32(block[blockSize-4:], crc32.ChecksumIEEE(block[:blockSize-4]))
	return block
}

// datagrams sends numbered UDP messages from one socket per target and wants each answered. The
// message is one that agnhost's netexec echoes too ("echo TEXT" is answered with TEXT).
func datagrams(ctx context.Context, o *options) {
	var all sync.WaitGroup
	for i, target := range o.targets {
		all.Go(func() {
			local := &net.UDPAddr{}
			if o.sourcePort > 0 {
				local.Port = o.sourcePort + i
			}
			dialer := net.Dialer{LocalAddr: local}
			connection, err := dialer.Dial("udp", target)
			if err != nil {
				o.report.done(target, time.Now(), "", err)
				return
			}
			defer connection.Close()
			for sequence := 0; ctx.Err() == nil; sequence++ {
				began := time.Now()
				o.report.done(target, began, "", echo(connection, sequence, began.Add(o.timeout)))
				wait(ctx, o.interval)
			}
		})
	}
	all.Wait()
}

// echo sends one message and waits for its own answer: late answers to earlier ones are passed over.
func echo(connection net.Conn, sequence int, deadline time.Time) error {
	text := fmt.Sprintf("message-%d-end", sequence)
	_ = connection.SetDeadline(deadline)
	if _, err := connection.Write([]byte("echo " + text)); err != nil {
		return err
	}
	answer := make([]byte, 2048)
	for {
		n, err := connection.Read(answer)
		if err != nil {
			return err
		}
		if strings.HasSuffix(strings.TrimSpace(string(answer[:n])), text) {
			return nil
		}
	}
}

func wait(ctx context.Context, pause time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(pause):
	}
}

// serve echoes TCP and UDP on one port until ctx ends.
func serve(ctx context.Context, address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	packets, err := net.ListenPacket("udp", address)
	if err != nil {
		return err
	}
	go func() {
		buffer := make([]byte, 65536)
		for {
			n, from, err := packets.ReadFrom(buffer)
			if err != nil {
				return
			}
			_, _ = packets.WriteTo(buffer[:n], from)
		}
	}()
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				_, _ = io.Copy(connection, connection)
			}()
		}
	}()
	<-ctx.Done()
	listener.Close()
	packets.Close()
	return nil
}
