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
	"os"
	"strings"
	"sync"
	"time"
)

const (
	// smallestBlock has room for what a block of stream is: a sequence number, filling, and a CRC-32 of both.
	smallestBlock = 16
	// largestBlock is what a server makes room for.
	largestBlock = 1 << 20
	// helloSize is the size of what begins a connection: the way and the size of blocks.
	helloSize = 5
)

// way is where the blocks of a connection go.
type way byte

const (
	both way = iota // each block comes back
	upload
	download
)

var ways = map[string]way{"both": both, "upload": upload, "download": download}

// streams keeps one TCP connection to each target and each way, and counts every block that arrives
// unchanged as a request. A connection that ends is counted as broken and opened anew.
func streams(ctx context.Context, o *options) {
	var all sync.WaitGroup
	for _, target := range o.targets {
		for _, to := range o.ways {
			all.Go(func() {
				for ctx.Err() == nil {
					began := time.Now()
					connection, err := net.DialTimeout("tcp", target, o.timeout)
					if err != nil {
						o.report.done(target, began, "", err)
						wait(ctx, time.Second)
						continue
					}
					if !converse(ctx, o, target, to, connection) {
						o.report.broke()
					}
					connection.Close()
				}
			})
		}
	}
	all.Wait()
}

// converse sends and checks blocks until ctx ends (true) or the connection fails (false).
func converse(ctx context.Context, o *options, target string, to way, connection net.Conn) bool {
	hello := binary.BigEndian.AppendUint32([]byte{byte(to)}, uint32(o.block))
	back := make([]byte, o.block)
	for sequence := uint64(0); ctx.Err() == nil; sequence++ {
		began := time.Now()
		question, wanted := messages(to, sequence, o.block)
		back = back[:len(wanted)]
		_ = connection.SetDeadline(began.Add(o.timeout))
		// At the same time: a large block fills the buffers of both ends before it is through.
		written := make(chan error, 1)
		go func() {
			_, err := connection.Write(append(hello, question...))
			written <- err
		}()
		_, err := io.ReadFull(connection, back)
		if failed := <-written; failed != nil {
			err = failed
		}
		if err == nil && !bytes.Equal(wanted, back) {
			err = errors.New("the answer came back changed")
		}
		o.report.done(target, began, "", err)
		if err != nil {
			return false
		}
		hello = nil
		wait(ctx, o.interval)
	}
	return true
}

// messages are what the client sends and what the server answers.
func messages(to way, sequence uint64, size int) (question, answer []byte) {
	number := binary.BigEndian.AppendUint64(nil, sequence)
	block := newBlock(sequence, size)
	switch to {
	case upload:
		return block, number
	case download:
		return number, block
	default:
		return block, block
	}
}

func newBlock(sequence uint64, size int) []byte {
	block := make([]byte, size)
	binary.BigEndian.PutUint64(block, sequence)
	for i := 8; i < size-4; i++ {
		block[i] = byte(sequence + uint64(i)*31)
	}
	binary.BigEndian.PutUint32(block[size-4:], crc32.ChecksumIEEE(block[:size-4]))
	return block
}

// datagrams sends numbered UDP messages from one socket per target, or with --fresh from a new one
// for each message, and wants each answered. The message is one that agnhost's netexec echoes too
// ("echo TEXT" is answered with TEXT); serve's answer begins with its host name, which is counted.
func datagrams(ctx context.Context, o *options) {
	var all sync.WaitGroup
	for i, target := range o.targets {
		all.Go(func() {
			local := &net.UDPAddr{}
			if o.sourcePort > 0 {
				local.Port = o.sourcePort + i
			}
			dialer := net.Dialer{LocalAddr: local}
			var connection net.Conn
			for sequence := 0; ctx.Err() == nil; sequence++ {
				began := time.Now()
				var err error
				if connection == nil {
					connection, err = dialer.Dial("udp", target)
				}
				if err != nil {
					o.report.done(target, began, "", err)
					wait(ctx, time.Second)
					continue
				}
				server, err := echo(connection, sequence, began.Add(o.timeout), o)
				answer := ""
				if server != "" && !o.fresh {
					answer = target + " " + server
				}
				o.report.done(target, began, answer, err)
				if o.fresh {
					connection.Close()
					connection = nil
				}
				wait(ctx, o.interval)
			}
			if connection != nil {
				connection.Close()
			}
		})
	}
	all.Wait()
}

// echo sends one message, again when that is asked for, waits for its own answer, passing over late
// ones to earlier messages, and returns the name of the server when it has said it.
func echo(connection net.Conn, sequence int, deadline time.Time, o *options) (string, error) {
	text := fmt.Sprintf("message-%d-end", sequence)
	for {
		if _, err := connection.Write([]byte("echo " + text)); err != nil {
			return "", err
		}
		again := time.Now().Add(o.resend)
		if o.resend == 0 || again.After(deadline) {
			return answer(connection, text, deadline)
		}
		server, err := answer(connection, text, again)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return server, err
		}
		o.report.resent()
	}
}

// answer waits for the answer to one message.
func answer(connection net.Conn, text string, deadline time.Time) (string, error) {
	_ = connection.SetReadDeadline(deadline)
	received := make([]byte, 2048)
	for {
		n, err := connection.Read(received)
		if err != nil {
			return "", err
		}
		before, found := strings.CutSuffix(strings.TrimSpace(string(received[:n])), text)
		if found {
			server, _, _ := strings.Cut(before, " ")
			return server, nil
		}
	}
}

func wait(ctx context.Context, pause time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(pause):
	}
}

// hear answers the blocks of one connection of stream until one does not come as it shall.
func hear(connection net.Conn) {
	defer connection.Close()
	hello := make([]byte, helloSize)
	if _, err := io.ReadFull(connection, hello); err != nil {
		return
	}
	size := int(binary.BigEndian.Uint32(hello[1:]))
	if size < smallestBlock || size > largestBlock {
		return
	}
	received := make([]byte, size)
	for sequence := uint64(0); ; sequence++ {
		wanted, answer := messages(way(hello[0]), sequence, size)
		received = received[:len(wanted)]
		if _, err := io.ReadFull(connection, received); err != nil || !bytes.Equal(wanted, received) {
			return
		}
		if _, err := connection.Write(answer); err != nil {
			return
		}
	}
}

// serve answers stream and udp on one port until ctx ends; UDP with the host's name before it.
func serve(ctx context.Context, address string) error {
	name, err := os.Hostname()
	if err != nil {
		return err
	}
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
			_, _ = packets.WriteTo(append([]byte(name+" "), buffer[:n]...), from)
		}
	}()
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go hear(connection)
		}
	}()
	<-ctx.Done()
	listener.Close()
	packets.Close()
	return nil
}
