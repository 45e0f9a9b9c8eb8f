package org.backplane.devicekit.test;

import org.backplane.kvm.spi.device.DmaLine;

/** An ISA DMA channel with a buffer behind it instead of a controller. Masked until the test programs it. */
public final class BenchDma {
    private byte[] memory = new byte[0];
    private int position;
    private boolean terminalCount;

    /** Programs the channel: transfers go to or come from this buffer, and terminal count is at its end. */
    public void program(byte[] buffer) {
        memory = buffer;
        position = 0;
        terminalCount = false;
    }

    /** Bytes moved since it was programmed. */
    public int moved() {
        return position;
    }

    DmaLine line(DeviceBench.Context context) {
        return new DmaLine() {
            @Override
            public int transfer(boolean toMemory, byte[] buffer, int offset, int length) {
                context.check();
                int n = Math.min(length, memory.length - position);
                if (toMemory) System.arraycopy(buffer, offset, memory, position, n);
                else System.arraycopy(memory, position, buffer, offset, n);
                position += n;
                if (n > 0) terminalCount = position == memory.length;
                return n;
            }

            @Override
            public boolean terminalCount() {
                context.check();
                return terminalCount;
            }
        };
    }
}
