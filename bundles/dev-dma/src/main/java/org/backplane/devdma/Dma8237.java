package org.backplane.devdma;

import org.backplane.devicekit.Access;
import org.backplane.devicekit.Field;
import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterArray;
import org.backplane.devicekit.RegisterBank;
import org.backplane.devicekit.RegisterFile;

/**
 * One 8237A: four channels, each with a base and a current address and count (Intel 8237A data sheet). It counts; moving bytes is {@link
 * DmaPair}'s work.
 *
 * <p>Address and count are 16 bits wide behind ports of 8; a flip-flop says which byte is next. A unit is what the controller moves in
 * one cycle: a byte, or a word on the second controller. A count register holds units - 1.
 *
 * <p>Single, block and demand mode differ in who may use the bus between two units. Here a device's request is served at once and
 * whole, so they do the same; cascade mode serves no request.
 */
final class Dma8237 {
    static final int VERIFY = 0;
    static final int WRITE_MEMORY = 1;
    static final int READ_MEMORY = 2;
    private static final int CASCADE = 3;

    /** The 16 registers of the chip, by address. */
    final RegisterBank bank;

    private final RegisterArray baseAddress;
    private final RegisterArray baseCount;
    private final RegisterArray address;
    private final RegisterArray count;
    private final RegisterArray mode;
    private final Register command;
    private final Register status;
    private final Register request;
    private final Register mask;
    private final Register highByte;
    private final Register ended;
    private final Field disabled;

    /** @param stride ports from one register to the next: 1, or 2 where address line 0 is not connected */
    Dma8237(RegisterFile file, String name, int stride) {
        baseAddress = file.array(name + ".base_address", 4, 16);
        baseCount = file.array(name + ".base_count", 4, 16);
        address = file.array(name + ".address", 4, 16);
        count = file.array(name + ".count", 4, 16);
        mode = file.array(name + ".mode", 4, 8);
        for (int i = 0; i < 4; i++) {
            mode.get(i).bits("channel", 0, 2).bits("transfer", 2, 2).bits("autoinit", 4).bits("decrement", 5).bits("mode", 6, 2);
        }
        command = file.register(name + ".command", 8)
                .bits("memory_to_memory", 0, 1, Access.UNIMPLEMENTED)
                .bits("hold_address", 1, 1, Access.UNIMPLEMENTED)
                .bits("disable", 2)
                .bits("compressed", 3)
                .bits("rotate", 4)
                .bits("extended_write", 5)
                .bits("dreq_low", 6)
                .bits("dack_high", 7);
        disabled = command.field("disable");
        status = file.register(name + ".status", 8).bits("terminal_count", 0, 4, Access.READ_TO_CLEAR).bits("request", 4, 4, Access.READ_ONLY);
        request = file.register(name + ".request", 8).bits("channels", 0, 4);
        mask = file.register(name + ".mask", 8).bits("channels", 0, 4).bits("unused", 4, 4, Access.RESERVED_ONES).resetValue(0x0f);
        highByte = file.register(name + ".high_byte", 8).bits("next", 0);
        ended = file.register(name + ".ended", 8).bits("channels", 0, 4);

        bank = new RegisterBank(file, 16 * stride);
        for (int i = 0; i < 4; i++) {
            int channel = i;
            Register addressPort = file.register(name + ".address_port" + i, 8).derived();
            addressPort.onRead(() -> readByte(address.get(channel))).onWrite(v -> writeByte(baseAddress.get(channel), address.get(channel), (int) v));
            Register countPort = file.register(name + ".count_port" + i, 8).derived();
            countPort.onRead(() -> readByte(count.get(channel))).onWrite(v -> writeByte(baseCount.get(channel), count.get(channel), (int) v));
            place(stride, 2 * i, addressPort, addressPort);
            place(stride, 2 * i + 1, countPort, countPort);
        }
        Register requestPort = selector(file, name + ".request_port", request);
        Register maskPort = selector(file, name + ".mask_port", mask);
        Register modePort = file.register(name + ".mode_port", 8).derived().onWrite(v -> mode.set((int) v & 3, v));
        Register clearHighByte = file.register(name + ".clear_high_byte", 8).derived().onWrite(v -> highByte.set(0));
        Register masterClear = file.register(name + ".master_clear", 8).derived().onWrite(v -> masterClear());
        Register temporary = file.register(name + ".temporary", 8).readOnly();
        Register clearMask = file.register(name + ".clear_mask", 8).derived().onWrite(v -> mask.set(0));
        place(stride, 8, status, command);
        bank.writeAt(9 * stride, requestPort).writeAt(10 * stride, maskPort).writeAt(11 * stride, modePort);
        bank.writeAt(12 * stride, clearHighByte);
        place(stride, 13, temporary, masterClear);
        bank.writeAt(14 * stride, clearMask);
        place(stride, 15, mask, mask);
    }

    private void place(int stride, int register, Register read, Register write) {
        bank.readAt(register * stride, read).writeAt(register * stride, write);
    }

    /** A port of which bits 1, 0 select a channel and bit 2 sets or clears its bit. */
    private static Register selector(RegisterFile file, String name, Register bits) {
        return file.register(name, 8).bits("channel", 0, 2, Access.WRITE_ONLY).bits("set", 2, 1, Access.WRITE_ONLY).derived().onWrite(v -> {
            int bit = 1 << (v & 3);
            if ((v & 4) != 0) bits.setBits(bit);
            else bits.clearBits(bit);
        });
    }

    private long readByte(Register current) {
        boolean high = highByte.value() != 0;
        highByte.set(high ? 0 : 1);
        return current.value() >>> (high ? 8 : 0) & 0xff;
    }

    /** A write goes to the base and to the current register. */
    private void writeByte(Register base, Register current, int value) {
        boolean high = highByte.value() != 0;
        highByte.set(high ? 0 : 1);
        int shift = high ? 8 : 0;
        long kept = high ? 0x00ff : 0xff00;
        base.set(base.value() & kept | (long) value << shift);
        current.set(current.value() & kept | (long) value << shift);
    }

    private void masterClear() {
        command.set(0);
        status.set(0);
        request.set(0);
        highByte.set(0);
        mask.set(0x0f);
    }

    /** Channel 0 passes on the requests of another controller, as on a PC after its firmware has run. */
    void cascadeByDefault() {
        mode.set(0, CASCADE << 6);
        mask.clearBits(1);
    }

    /** A device's request on this channel reaches the CPU. */
    boolean serves(int channel) {
        return (mask.value() & 1 << channel) == 0 && !disabled.isSet() && mode.value(channel) >> 6 != CASCADE;
    }

    /** Channel 0 passes on the requests of the first controller. */
    boolean cascades() {
        return (mask.value() & 1) == 0 && !disabled.isSet() && mode.value(0) >> 6 == CASCADE;
    }

    /** {@link #VERIFY}, {@link #WRITE_MEMORY}, {@link #READ_MEMORY} or 3, which is illegal. */
    int transferType(int channel) {
        return mode.value(channel) >> 2 & 3;
    }

    boolean decrements(int channel) {
        return (mode.value(channel) & 0x20) != 0;
    }

    /** Current address in units, 16 bits. */
    int address(int channel) {
        return address.value(channel);
    }

    /** Units until terminal count: 1 to 65536. */
    int unitsLeft(int channel) {
        return count.value(channel) + 1;
    }

    /** Counts {@code units}, at most {@link #unitsLeft}; on terminal count reloads the channel or masks it. */
    void advance(int channel, int units) {
        int bit = 1 << channel;
        boolean terminal = units == unitsLeft(channel);
        address.set(channel, address(channel) + (decrements(channel) ? -units : units));
        count.set(channel, count.value(channel) - units);
        if (!terminal) {
            ended.clearBits(bit);
            return;
        }
        ended.setBits(bit);
        status.setBits(bit);
        request.clearBits(bit);
        if ((mode.value(channel) & 0x10) != 0) {
            address.set(channel, baseAddress.value(channel));
            count.set(channel, baseCount.value(channel));
        } else {
            mask.setBits(bit);
        }
    }

    /** The last transfer of this channel reached terminal count. */
    boolean ended(int channel) {
        return (ended.value() & 1 << channel) != 0;
    }

    /** A transfer moved nothing. */
    void nothingMoved(int channel) {
        ended.clearBits(1 << channel);
    }
}
