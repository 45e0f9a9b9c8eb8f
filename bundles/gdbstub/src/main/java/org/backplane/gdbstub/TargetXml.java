package org.backplane.gdbstub;

import java.util.List;

/** A target description ("Debugging with GDB", appendix G), written feature by feature. */
final class TargetXml {
    /** Flags of 32 bits as name and bit number. */
    static final String EFLAGS = flags("i386_eflags", "CF 0,PF 2,AF 4,ZF 6,SF 7,TF 8,IF 9,DF 10,OF 11,NT 14,RF 16,VM 17,AC 18,VIF 19,VIP 20,ID 21");

    static final String CONTROL = flags("i386_cr0", "PE 0,MP 1,EM 2,TS 3,ET 4,NE 5,WP 16,AM 18,NW 29,CD 30,PG 31")
            + flags("i386_cr4", "VME 0,PVI 1,TSD 2,DE 3,PSE 4,PAE 5,MCE 6,PGE 7,PCE 8,OSFXSR 9,OSXMMEXCPT 10,UMIP 11,SMEP 20,SMAP 21");

    /** An XMM register seen as vectors of each kind. */
    static final String VECTORS =
            """
            <vector id="v4f" type="ieee_single" count="4"/>
            <vector id="v2d" type="ieee_double" count="2"/>
            <vector id="v16i8" type="int8" count="16"/>
            <vector id="v8i16" type="int16" count="8"/>
            <vector id="v4i32" type="int32" count="4"/>
            <vector id="v2i64" type="int64" count="2"/>
            <union id="vec128">
            <field name="v4_float" type="v4f"/>
            <field name="v2_double" type="v2d"/>
            <field name="v16_int8" type="v16i8"/>
            <field name="v8_int16" type="v8i16"/>
            <field name="v4_int32" type="v4i32"/>
            <field name="v2_int64" type="v2i64"/>
            <field name="uint128" type="uint128"/>
            </union>
            """;

    private final StringBuilder xml = new StringBuilder();

    TargetXml(String architecture) {
        xml.append("<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n<target version=\"1.0\">\n<architecture>");
        xml.append(architecture).append("</architecture>\n");
    }

    private static String flags(String id, String fields) {
        StringBuilder t = new StringBuilder("<flags id=\"" + id + "\" size=\"4\">\n");
        for (String f : fields.split(",")) {
            String[] part = f.split(" ");
            t.append("<field name=\"").append(part[0]).append("\" start=\"").append(part[1]).append("\" end=\"").append(part[1]).append("\"/>\n");
        }
        return t.append("</flags>\n").toString();
    }

    void feature(String name, String types, List<Register> registers) {
        xml.append("<feature name=\"").append(name).append("\">\n").append(types);
        for (Register r : registers) {
            xml.append("<reg name=\"").append(r.name()).append("\" bitsize=\"").append(r.bits()).append("\" type=\"").append(r.type()).append('"');
            if (!r.group().isEmpty()) xml.append(" group=\"").append(r.group()).append('"');
            xml.append("/>\n");
        }
        xml.append("</feature>\n");
    }

    String text() {
        return xml + "</target>\n";
    }
}
