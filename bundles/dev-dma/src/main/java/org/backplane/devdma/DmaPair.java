package org.backplane.devdma;

import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterBank;
import org.backplane.devicekit.RegisterFile;
import org.backplane.kvm.spi.device.CardState;
import org.backplane.kvm.spi.device.Device;
import org.backplane.kvm.spi.device.DeviceContext;
import org.backplane.kvm.spi.device.IsaDmaController;
import org.backplane.kvm.spi.device.StateException;

/**
 * The ISA DMA of a PC/AT: an 8237 for bytes (channels 0 to 3), one for words (5 to 7) through whose channel 0, number 4, the first
 * passes, and the page registers with the upper address bits.
 *
 * <p><b>Addresses.</b> A page does not count: a transfer that runs over its end goes on at its start. A page is 64 KiB for channels 0 to
 * 3. For the word channels the 8237's address is shifted left by one and bit 0 of the page is not used, so a page is 128 KiB.
 *
 * <p><b>Transfers</b> are asked for by a device ({@link IsaDmaController}) and happen at once, within its callback; the board gives
 * the devices of one VM one thread at a time. A device that wants the other direction than the channel is programmed for gets nothing,
 * and it is logged.
 *
 * <p><b>Deviation.</b> After reset channel 4 is unmasked and in cascade mode. On hardware firmware does that, and kernels rely on it; a
 * kernel that is loaded without firmware finds the same here.
 *
 * <p>Sources: Intel 8237A data sheet; IBM PC/AT Technical Reference, "DMA".
 */
final class DmaPair implements Device, IsaDmaController {
    /** 81h to 8Fh. */
    static final int PAGE_PORTS = 15;
    /** Port of the page register of each channel, from 81h; that of channel 4 is for memory refresh. */
    private static final int[] PAGE_OF_CHANNEL = {0x87 - 0x81, 0x83 - 0x81, 0x81 - 0x81, 0x82 - 0x81, 0x8f - 0x81, 0x89 - 0x81, 0x8a - 0x81, 0x8b - 0x81};

    private final RegisterFile file = new RegisterFile("dma");
    private final Dma8237 bytes = new Dma8237(file, "dma1", 1);
    private final Dma8237 words = new Dma8237(file, "dma2", 2);
    private final Register[] pages = new Register[PAGE_PORTS];
    private final RegisterBank pageBank = new RegisterBank(file, PAGE_PORTS);
    private DeviceContext context;

    DmaPair() {
        for (int i = 0; i < PAGE_PORTS; i++) {
            pages[i] = file.register(String.format("page%02x", 0x81 + i), 8);
            pageBank.at(i, pages[i]);
        }
    }

    @Override
    public void attach(DeviceContext c) {
        context = c;
        file.attach(c);
        c.claimPorts(DmaFactory.DMA1, 1, bytes.bank);
        c.claimPorts(DmaFactory.DMA2, 1, words.bank);
        c.claimPorts(DmaFactory.PAGES, 1, pageBank);
        c.provide(IsaDmaController.class, this);
    }

    @Override
    public void reset() {
        file.reset();
        words.cascadeByDefault();
    }

    @Override
    public void save(CardState state) {
        file.save(state);
    }

    @Override
    public void load(CardState state) throws StateException {
        file.load(state);
    }

    @Override
    public boolean terminalCount(int channel) {
        return controller(channel).ended(channel & 3);
    }

    @Override
    public int transfer(int channel, boolean toMemory, byte[] buffer, int offset, int length) {
        Dma8237 c = controller(channel);
        int ch = channel & 3;
        int shift = channel >> 2;
        int units = Math.min(length >> shift, c.unitsLeft(ch));
        if (units == 0 || !c.serves(ch) || shift == 0 && !words.cascades() || !directionFits(c, channel, toMemory)) {
            c.nothingMoved(ch);
            return 0;
        }
        if (c.transferType(ch) != Dma8237.VERIFY) move(c, channel, toMemory, buffer, offset, units);
        c.advance(ch, units);
        return units << shift;
    }

    private Dma8237 controller(int channel) {
        return channel < 4 ? bytes : words;
    }

    private boolean directionFits(Dma8237 c, int channel, boolean toMemory) {
        int type = c.transferType(channel & 3);
        if (type == Dma8237.VERIFY || type == (toMemory ? Dma8237.WRITE_MEMORY : Dma8237.READ_MEMORY)) return true;
        context.log("channel " + channel + " is programmed for the other direction than its device's");
        return false;
    }

    private void move(Dma8237 c, int channel, boolean toMemory, byte[] buffer, int offset, int units) {
        int shift = channel >> 2;
        int ch = channel & 3;
        long page = pageBase(channel);
        if (c.decrements(ch)) {
            for (int i = 0; i < units; i++) {
                copy(toMemory, page + ((long) (c.address(ch) - i & 0xffff) << shift), buffer, offset + (i << shift), 1 << shift);
            }
            return;
        }
        int beforeWrap = Math.min(units, 0x10000 - c.address(ch));
        copy(toMemory, page + ((long) c.address(ch) << shift), buffer, offset, beforeWrap << shift);
        if (units > beforeWrap) copy(toMemory, page, buffer, offset + (beforeWrap << shift), units - beforeWrap << shift);
    }

    /** Guest physical address of the channel's page. */
    private long pageBase(int channel) {
        long page = pages[PAGE_OF_CHANNEL[channel]].value();
        return (channel < 4 ? page : page & 0xfe) << 16;
    }

    private void copy(boolean toMemory, long gpa, byte[] buffer, int offset, int length) {
        if (toMemory) context.memory().write(gpa, buffer, offset, length);
        else context.memory().read(gpa, buffer, offset, length);
    }
}
