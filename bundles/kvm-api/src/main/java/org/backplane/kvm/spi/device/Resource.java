package org.backplane.kvm.spi.device;

/**
 * Something that a card needs from the board, by name, with its usual place on a PC. A slot moves it with the property of the
 * same name ({@code regs=0x2f8}, {@code irq=3}); an empty value ({@code irq=}) leaves it unconnected.
 *
 * @param kind what it is
 * @param name by which the device asks for it
 * @param base usual place: port number, gpa, GSI, or DMA channel; -1 for none (the slot must give it, or it is left unconnected)
 * @param length in ports or bytes; 1 for the other kinds
 */
public record Resource(Kind kind, String name, long base, long length) {
    /** Kinds of resources. */
    public enum Kind {
        PORTS,
        MMIO,
        IRQ,
        DMA,
        CHARACTER,
        BLOCK
    }

    public static Resource ports(String name, int base, int length) {
        return new Resource(Kind.PORTS, name, base, length);
    }

    public static Resource mmio(String name, long gpa, long length) {
        return new Resource(Kind.MMIO, name, gpa, length);
    }

    public static Resource irq(String name, int gsi) {
        return new Resource(Kind.IRQ, name, gsi, 1);
    }

    public static Resource dma(String name, int channel) {
        return new Resource(Kind.DMA, name, channel, 1);
    }

    /** A character back end; the slot's property of this name selects it ({@code stdio}, {@code file:PATH}, {@code null}). */
    public static Resource character(String name) {
        return new Resource(Kind.CHARACTER, name, -1, 1);
    }

    /** A block back end; the slot's property of this name is the image file. */
    public static Resource block(String name) {
        return new Resource(Kind.BLOCK, name, -1, 1);
    }
}
