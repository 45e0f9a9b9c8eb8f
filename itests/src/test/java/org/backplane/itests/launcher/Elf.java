// SPDX-License-Identifier: Apache-2.0
package org.backplane.itests.launcher;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A 32-bit ELF with a multiboot header and one segment. System V ABI, "Object files"; Multiboot Specification 0.6.96, 3.1. */
final class Elf {
    private static final int HEADER = 52;
    private static final int PROGRAM_HEADER = 32;
    private static final int CODE = 0x100;

    private Elf() {}

    /**
     * @param address where the segment is loaded and entered
     * @param segment its size, which may be more than there is
     * @param code what there is
     */
    static byte[] multiboot(int address, int segment, byte[] code) {
        ByteBuffer b = ByteBuffer.allocate(CODE + code.length).order(ByteOrder.LITTLE_ENDIAN);
        b.put(new byte[] {0x7f, 'E', 'L', 'F', 1, 1, 1});
        b.position(16);
        // Executable, 386, version 1, entry, program headers, no sections, no flags.
        b.putShort((short) 2).putShort((short) 3).putInt(1).putInt(address).putInt(HEADER).putInt(0).putInt(0);
        b.putShort((short) HEADER).putShort((short) PROGRAM_HEADER).putShort((short) 1);
        b.position(HEADER);
        // PT_LOAD from CODE, readable and executable.
        b.putInt(1).putInt(CODE).putInt(address).putInt(address).putInt(segment).putInt(segment).putInt(5).putInt(0x1000);
        b.putInt(0x1badb002).putInt(0).putInt(-0x1badb002);
        b.position(CODE);
        b.put(code);
        return b.array();
    }
}
