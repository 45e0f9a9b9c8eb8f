package org.backplane.x86.isa.oracle;

import java.util.HashMap;
import java.util.Map;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.x86.isa.Decoder;
import org.backplane.x86.isa.Insn;
import org.backplane.x86.isa.Opcode;
import org.backplane.x86.isa.exec.Cpu;
import org.backplane.x86.isa.exec.Memory;
import org.backplane.x86.isa.exec.Semantics;
import org.backplane.x86.isa.exec.Unwind;

/** Decoder and handlers of this library alone, on memory that is just the window. */
final class HandlerMachine implements UserMachine, Memory {
    private static final class Outside extends RuntimeException {
        private static final long serialVersionUID = 1;

        Outside(long gva) {
            super(Long.toHexString(gva), null, false, false);
        }
    }

    private final VcpuContext context = new VcpuContext(0, null, null);
    private final Cpu cpu = new Cpu(context, this, true);
    private final Decoder decoder = new Decoder();
    private final byte[] window = new byte[UserModeContract.WINDOW];
    private final Map<Long, Insn> code = new HashMap<>();
    private long windowAddress, codeEnd;

    @Override
    public CpuState state() {
        return context.state;
    }

    @Override
    public byte[] window() {
        return window;
    }

    @Override
    public void setWindow(long address) {
        windowAddress = address;
    }

    @Override
    public void load(long address, byte[] code) {
        this.code.clear();
        codeEnd = address + code.length;
        for (int at = 0; at < code.length; ) {
            Insn insn = decoder.decode(code, at, code.length - at, 32);
            if (insn == null) throw new IllegalArgumentException("code ends within an instruction");
            this.code.put(address + at, insn);
            at += insn.length;
        }
    }

    @Override
    public String run() {
        cpu.updateMode();
        CpuState s = context.state;
        while (s.rip != codeEnd) {
            Insn insn = code.get(s.rip);
            if (insn == null) return "went astray to " + Long.toHexString(s.rip);
            String failure = step(insn);
            if (failure != null) return failure;
        }
        return null;
    }

    private String step(Insn insn) {
        cpu.begin(context.state.rip, 0);
        cpu.at(insn);
        try {
            Semantics.of(insn.mnemonic()).run(cpu, insn);
        } catch (Outside e) {
            return "access outside of the window: " + e.getMessage();
        } catch (Unwind e) {
            return "fault " + cpu.faultVector;
        }
        if (!insn.opcode.is(Opcode.JUMP)) cpu.step();
        return null;
    }

    private int at(long gva, int size) {
        long offset = gva - windowAddress;
        if (offset < 0 || offset + size > window.length) throw new Outside(gva);
        return (int) offset;
    }

    @Override
    public long read(Cpu c, long gva, int size, int access) {
        int at = at(gva, size);
        long value = 0;
        for (int i = size - 1; i >= 0; i--) value = value << 8 | window[at + i] & 0xff;
        return value;
    }

    @Override
    public void write(Cpu c, long gva, int size, long value, int access) {
        int at = at(gva, size);
        for (int i = 0; i < size; i++) window[at + i] = (byte) (value >> 8 * i);
    }

    @Override
    public long compareExchange(Cpu c, long gva, int size, long expected, long value, int access) {
        long found = read(c, gva, size, access);
        if (found == expected) write(c, gva, size, value, access);
        return found;
    }

    @Override
    public void probeWrite(Cpu c, long gva, int access) {
        at(gva, 1);
    }

    @Override
    public long hostForRead(Cpu c, long gva, int access) {
        return 0;
    }

    @Override
    public long hostForWrite(Cpu c, long gva, int access) {
        return 0;
    }
}
