package org.backplane.kvm.spi.device;
public record Resource(Kind kind, String name, long base, long length) {
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
    public static Resource character(String name) {
        return new Resource(Kind.CHARACTER, name, -1, 1);
    }
    public static Resource block(String name) {
        return new Resource(Kind.BLOCK, name, -1, 1);
    }
}
