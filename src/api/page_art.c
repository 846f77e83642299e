/* SPDX-License-Identifier: Apache-2.0 */
/* Drawings stand in a box of 96 by 96 with their feet at y = 86, lit from the left. Their fills are
 * classes of the style sheet: a the colour of the wares, b its shade, c the label; n... are colours of
 * nature; s is shade, h light on the edge. al is the label, whose motif (x0 to x3) the colourway's custom
 * properties switch. */
#include "api/page_art.h"

#include <assert.h>

static const char *const drawings[PAGE_ARTS_] = {
    [PAGE_ART_BOX] = "<path class=\"a\" d=\"M22 24h52v62H22z\"/><path class=\"s\" d=\"M62 24h12v62H62z\"/>"
                     "<path class=\"b\" d=\"M22 24h52v9H22z\"/><use href=\"#al\" x=\"28\" y=\"42\" "
                     "width=\"40\" height=\"26\"/>"
                     "<path class=\"h\" d=\"M22 24h4v62h-4z\"/>",
    [PAGE_ART_CARTON] =
        "<path class=\"b\" d=\"M40 8h16v10H40z\"/><path class=\"c\" d=\"M40 16h16l14 20H26z\"/>"
        "<path class=\"s\" d=\"M56 16l14 20H58z\"/><path class=\"a\" d=\"M26 36h44v50H26z\"/>"
        "<path class=\"s\" d=\"M60 36h10v50H60z\"/><use href=\"#al\" x=\"31\" y=\"48\" width=\"28\" "
        "height=\"24\"/>"
        "<path class=\"h\" d=\"M26 36h3v50h-3z\"/>",
    [PAGE_ART_BOTTLE] =
        "<path class=\"b\" d=\"M41 6h14v9H41z\"/><path class=\"a\" d=\"M43 15h10v10c0 6 12 9 12 20v35a6 6 0 "
        "0 "
        "1-6 6H37a6 6 0 0 1-6-6V45c0-11 12-14 12-20z\"/><path class=\"s\" d=\"M56 31c4 3 9 7 9 14v35a6 6 0 0 "
        "1-6 6h-4z\"/><use href=\"#al\" x=\"31\" y=\"48\" width=\"34\" height=\"22\"/><path class=\"h\" "
        "d=\"M35 44h3v36h-3z\"/>",
    [PAGE_ART_CAN] = "<ellipse class=\"b\" cx=\"48\" cy=\"22\" rx=\"23\" ry=\"6\"/><path class=\"a\" d=\"M25 "
                     "22c0 8 46 8 46 0v58c0 "
                     "8-46 8-46 0z\"/><ellipse class=\"m\" cx=\"48\" cy=\"21\" rx=\"20\" ry=\"4.5\"/><path "
                     "class=\"s\" d=\"M59 27c7-1 "
                     "12-2 12-5v58c0 3-5 5-12 6z\"/><use href=\"#al\" x=\"25\" y=\"42\" width=\"46\" "
                     "height=\"24\"/><path class=\"h\" "
                     "d=\"M29 27h4v57l-4-1z\"/>",
    [PAGE_ART_JAR] =
        "<path class=\"b\" d=\"M30 14h36v12H30z\"/><path class=\"a\" d=\"M32 28h32c7 4 9 8 9 14v36a8 8 0 0 "
        "1-8 8H31a8 8 "
        "0 0 1-8-8V42c0-6 2-10 9-14z\"/><path class=\"s\" d=\"M60 28h4c7 4 9 8 9 14v36a8 8 0 0 1-8 8h-5z\"/>"
        "<use href=\"#al\" x=\"23\" y=\"46\" width=\"50\" height=\"24\"/><path class=\"h\" d=\"M28 "
        "40h4v42h-4z\"/>"
        "<path class=\"s\" d=\"M58 14h8v12h-8z\"/>",
    [PAGE_ART_BAG] = "<path class=\"a\" d=\"M25 14l4 3 5-3 5 3 5-3 5 3 5-3 5 3 5-3 4 3 4-3c-3 20-3 50 2 "
                     "72l-5-3-5 3-5-3-5 3-5-3-5 "
                     "3-5-3-5 3-5-3-7 3c5-22 5-52 3-72z\"/><path class=\"s\" d=\"M63 15l5 2 4-3c-3 20-3 50 2 "
                     "72l-5-3-5 3c-4-25-4-50-1-71z\"/>"
                     "<use href=\"#al\" x=\"32\" y=\"36\" width=\"30\" height=\"30\"/><path class=\"h\" "
                     "d=\"M28 24h3c1 16 0 36-3 54h-3c3-18 4-38 3-54z\"/>",
    [PAGE_ART_APPLE] = "<path class=\"n1\" d=\"M48 32c8-9 32-8 32 18 0 20-14 36-23 36-4 0-6-2-9-2s-5 2-9 "
                       "2c-9 0-23-16-23-36 0-26 24-27 "
                       "32-18z\"/><path class=\"s\" d=\"M66 27c9 3 14 11 14 23 0 20-14 36-23 36 14-14 20-38 "
                       "9-59z\"/><path class=\"n7\" "
                       "d=\"M46 32c0-8 2-14 7-20l4 2c-5 5-7 10-7 18z\"/><path class=\"n2\" d=\"M54 20c4-9 "
                       "12-11 20-9-2 9-10 14-20 9z\"/>"
                       "<ellipse class=\"h\" cx=\"28\" cy=\"46\" rx=\"5\" ry=\"9\"/>",
    [PAGE_ART_CARROT] = "<path class=\"n2\" d=\"M56 32c-4-10-2-20 4-26 3 6 4 12 2 18 5-6 12-9 20-8-2 8-8 "
                        "14-16 16 6-1 12 0 16 4-8 "
                        "6-16 6-24 2z\"/><path class=\"n3\" d=\"M50 34c8-6 18 2 14 12C56 66 38 80 18 88c-4 "
                        "1-6-2-5-5C20 62 34 44 50 "
                        "34z\"/><path class=\"s\" d=\"M64 46C56 66 38 80 18 88c18-14 32-28 42-52 4 2 6 6 4 "
                        "10z\"/><path class=\"l\" "
                        "d=\"M44 42l7 6M34 54l8 7M26 66l6 5\"/>",
    [PAGE_ART_LEAF] =
        "<path class=\"n4\" d=\"M48 86c-26 0-36-14-36-28 0-12 8-18 14-18-2-14 8-24 22-24s24 10 22 24c6 0 14 "
        "6 14 18 0 "
        "14-10 28-36 28z\"/><path class=\"n2\" d=\"M48 84c-16-4-24-16-22-30 8 0 12 2 16 6 0-12 4-20 8-24 6 8 "
        "6 16 4 "
        "24 4-4 10-6 16-6 0 16-8 26-22 30z\"/><path class=\"l\" d=\"M48 84V54M48 72l-12-10M48 72l12-10\"/>"
        "<path class=\"s\" d=\"M66 24c4 4 5 10 4 16 6 0 14 6 14 18 0 14-10 28-36 28 22-10 28-34 18-62z\"/>",
    [PAGE_ART_BERRY] =
        "<path class=\"n2\" d=\"M48 26c-8 2-16 0-20-6 8-4 16-4 20 2 4-6 12-6 20-2-4 6-12 8-20 6z\"/>"
        "<path class=\"n1\" d=\"M48 28c14-8 32-2 30 16-2 18-18 36-30 42-12-6-28-24-30-42-2-18 16-24 "
        "30-16z\"/>"
        "<path class=\"s\" d=\"M66 25c8 3 13 9 12 19-2 18-18 36-30 42 14-16 20-36 18-61z\"/><path "
        "class=\"d\" d=\"M32 "
        "42v4M46 40v4M60 42v4M38 54v4M54 54v4M46 68v4\"/><path class=\"n7\" d=\"M46 24V12h4v12z\"/>",
    [PAGE_ART_BANANA] =
        "<path class=\"n5\" d=\"M70 12c4 0 5 3 4 7 8 26-6 56-38 66-10 3-20 1-22-3-2-3 0-5 4-5 26-4 42-24 "
        "46-58 0-4 2-7 "
        "6-7z\"/><path class=\"s\" d=\"M74 19c8 26-6 56-38 66-8 2-15 2-19 0C48 78 66 54 70 18z\"/><path "
        "class=\"n7\" "
        "d=\"M65 12l1-5h7l1 7z\"/><path class=\"h\" d=\"M60 40c-4 16-12 26-24 34 8-10 16-20 20-36z\"/>",
    [PAGE_ART_MEAT] = "<path class=\"m\" d=\"M8 62h80l-6 20a6 6 0 0 1-6 4H20a6 6 0 0 1-6-4z\"/><path "
                      "class=\"n6\" d=\"M18 58c-8-14 4-32 "
                      "24-34 22-3 40 8 38 24-2 18-20 24-34 20-12-3-22-2-28-10z\"/><path class=\"n8\" d=\"M40 "
                      "30c16-4 32 4 32 16-12-8-22-6-30 "
                      "0-6 4-14 2-14-4 0-5 5-10 12-12z\"/><circle class=\"w\" cx=\"60\" cy=\"40\" "
                      "r=\"6\"/><circle class=\"n6\" cx=\"60\" "
                      "cy=\"40\" r=\"2.5\"/><path class=\"l\" d=\"M26 54c10 4 20 2 28 4\"/>",
    [PAGE_ART_SAUSAGE] = "<path class=\"m\" d=\"M10 66h76l-4 16a5 5 0 0 1-5 4H19a5 5 0 0 1-5-4z\"/><path "
                         "class=\"n9\" d=\"M16 36c0-8 10-12 "
                         "16-6 10 10 24 10 34 0 6-6 16-2 16 6 0 16-16 26-33 26S16 52 16 36z\"/><path "
                         "class=\"s\" d=\"M70 28c6-2 12 2 12 8 0 "
                         "16-16 26-33 26 16-6 24-18 21-34z\"/><path class=\"l\" d=\"M32 42l6 8M46 46l4 9M62 "
                         "42l-2 10\"/><path class=\"h\" "
                         "d=\"M21 34c2 8 6 13 12 17-8-3-13-9-14-16z\"/>",
    [PAGE_ART_FISH] = "<path class=\"a\" d=\"M8 60c14-24 42-28 58-8l20-14c-4 12-4 26 2 40L66 66C50 86 22 84 "
                      "8 60z\"/><path class=\"s\" "
                      "d=\"M8 60c20 6 40 6 58-8l20-14c-2 8-3 16-1 24l3 16-22-12C50 86 22 84 8 60z\"/><circle "
                      "class=\"w\" cx=\"24\" cy=\"56\" "
                      "r=\"4\"/><circle class=\"k\" cx=\"24\" cy=\"56\" r=\"2\"/><path class=\"l\" d=\"M36 "
                      "48c4 8 4 16 0 24M46 50c3 6 3 "
                      "12 0 18\"/>",
    [PAGE_ART_CHEESE] = "<path class=\"n5\" d=\"M10 56L66 24c12 4 20 16 20 32v30H10z\"/><path class=\"h\" "
                        "d=\"M10 56L66 24c12 4 20 16 20 "
                        "32z\"/><circle class=\"s\" cx=\"30\" cy=\"70\" r=\"6\"/><circle class=\"s\" "
                        "cx=\"56\" cy=\"66\" r=\"4\"/><circle "
                        "class=\"s\" cx=\"70\" cy=\"76\" r=\"5\"/><circle class=\"s\" cx=\"60\" cy=\"42\" "
                        "r=\"4\"/><path class=\"s\" "
                        "d=\"M10 82h76v4H10z\"/>",
    [PAGE_ART_BREAD] = "<path class=\"n7\" d=\"M12 54c-4-16 10-26 36-26s40 10 36 26c-1 3-3 5-4 6v20a6 6 0 0 "
                       "1-6 6H22a6 6 0 0 1-6-6V60c-1-1-3-3-4-6z\"/>"
                       "<path class=\"n0\" d=\"M20 52c-3-10 8-17 28-17s31 7 28 17c-1 2-3 3-3 "
                       "5v21H23V57c0-2-2-3-3-5z\"/><path class=\"s\" "
                       "d=\"M66 31c14 4 20 12 18 23-1 3-3 5-4 6v20a6 6 0 0 1-6 6h-8z\"/><path class=\"l\" "
                       "d=\"M34 46l6 8M46 44l6 8M58 46l4 7\"/>",
    [PAGE_ART_CAKE] = "<path class=\"m\" d=\"M8 80h80v6H8z\"/><path class=\"n0\" d=\"M18 "
                      "48h60v32H18z\"/><path class=\"a\" d=\"M18 40c0-8 60-8 "
                      "60 0v14c-4 8-10 8-12 0-2 6-10 6-12 0-2 10-10 10-12 0-2 6-10 6-12 0-3 8-9 6-12 "
                      "0z\"/><path class=\"s\" d=\"M66 "
                      "35c8 1 12 3 12 5v40H66z\"/><circle class=\"n1\" cx=\"48\" cy=\"28\" r=\"7\"/><path "
                      "class=\"l\" d=\"M48 22c1-5 3-8 7-10\"/>",
    [PAGE_ART_EGGS] = "<ellipse class=\"w\" cx=\"29\" cy=\"50\" rx=\"11\" ry=\"15\"/><ellipse class=\"n0\" "
                      "cx=\"48\" cy=\"48\" rx=\"11\" "
                      "ry=\"15\"/><ellipse class=\"w\" cx=\"67\" cy=\"50\" rx=\"11\" ry=\"15\"/><path "
                      "class=\"a\" d=\"M10 56h76l-5 26a5 5 0 0 "
                      "1-5 4H20a5 5 0 0 1-5-4z\"/><path class=\"s\" d=\"M70 56h16l-5 26a5 5 0 0 1-5 "
                      "4h-8z\"/><use href=\"#al\" x=\"30\" y=\"62\" "
                      "width=\"34\" height=\"16\"/>",
    [PAGE_ART_TUB] = "<path class=\"c\" d=\"M18 30h60v9H18z\"/><path class=\"a\" d=\"M21 39h54l-6 43a5 5 0 0 "
                     "1-5 4H32a5 5 0 0 1-5-4z\"/>"
                     "<path class=\"s\" d=\"M64 39h11l-6 43a5 5 0 0 1-5 4h-6zM70 30h8v9h-8z\"/><use "
                     "href=\"#al\" x=\"28\" y=\"48\" width=\"38\" "
                     "height=\"22\"/><path class=\"h\" d=\"M24 39h4l5 46h-4z\"/>",
    [PAGE_ART_ICE] = "<path class=\"n7\" d=\"M30 50h36L48 90z\"/><path class=\"s\" d=\"M56 50h10L48 "
                     "90z\"/><path class=\"l\" d=\"M36 52l20 "
                     "20M46 52l14 12M58 52L40 70\"/><circle class=\"a\" cx=\"38\" cy=\"40\" "
                     "r=\"15\"/><circle class=\"c\" cx=\"58\" cy=\"40\" "
                     "r=\"15\"/><circle class=\"b\" cx=\"48\" cy=\"24\" r=\"14\"/><circle class=\"h\" "
                     "cx=\"43\" cy=\"19\" r=\"4\"/>",
    [PAGE_ART_FROZEN] = "<path class=\"a\" d=\"M18 20h60v66H18z\"/><path class=\"s\" d=\"M66 "
                        "20h12v66H66z\"/><path class=\"c\" d=\"M18 20h60v12H18z\"/>"
                        "<circle class=\"w\" cx=\"45\" cy=\"58\" r=\"19\"/><path class=\"f\" d=\"M45 "
                        "44v28M33 51l24 14M33 65l24-14M45 48l-4-3M45 "
                        "48l4-3M45 68l-4 3M45 68l4 3\"/><path class=\"h\" d=\"M18 32h4v54h-4z\"/>",
    [PAGE_ART_PIZZA] = "<path class=\"n7\" d=\"M8 34c22-20 58-20 80 0L48 88z\"/><path class=\"n5\" d=\"M15 "
                       "38c20-16 46-16 66 0L48 82z\"/><circle "
                       "class=\"n1\" cx=\"36\" cy=\"42\" r=\"6\"/><circle class=\"n1\" cx=\"60\" cy=\"42\" "
                       "r=\"6\"/><circle class=\"n1\" cx=\"48\" "
                       "cy=\"60\" r=\"6\"/><path class=\"n2\" d=\"M46 36l4 3-3 4zM56 54l4 1-2 4zM38 54l3 3-4 "
                       "2z\"/><path class=\"s\" d=\"M88 34L48 "
                       "88c6-20 16-40 26-62 5 2 10 5 14 8z\"/>",
    [PAGE_ART_CUP] = "<path class=\"b\" d=\"M70 42c22-6 22 28-2 26l1-7c12 1 12-15 0-12z\"/><path class=\"a\" "
                     "d=\"M20 36h52v32c0 12-8 18-16 "
                     "18H36c-8 0-16-6-16-18z\"/><path class=\"s\" d=\"M62 36h10v32c0 12-8 18-16 18h-4c8-6 "
                     "10-20 10-50z\"/><ellipse class=\"n7\" "
                     "cx=\"46\" cy=\"36\" rx=\"26\" ry=\"5\"/><use href=\"#al\" x=\"28\" y=\"50\" "
                     "width=\"30\" height=\"20\"/><path class=\"v\" "
                     "d=\"M38 24c-4-5 4-7 0-13M52 24c-4-5 4-7 0-13\"/>",
    [PAGE_ART_CANDY] = "<path class=\"b\" d=\"M26 48L8 34l2 14-6 12 22-6zM70 48l18-14-2 14 6 "
                       "12-22-6z\"/><circle class=\"a\" cx=\"48\" "
                       "cy=\"50\" r=\"25\"/><path class=\"c\" d=\"M48 25c8 8 10 16 6 24s-4 18 0 26c-4 0-8 "
                       "0-12-1-4-8-4-17 0-25s2-16-6-21c3-2 7-3 "
                       "12-3z\"/><path class=\"s\" d=\"M62 29a25 25 0 0 1-8 46c10-12 14-28 8-46z\"/><ellipse "
                       "class=\"h\" cx=\"34\" cy=\"40\" "
                       "rx=\"4\" ry=\"7\"/>",
    [PAGE_ART_TUBE] =
        "<path class=\"a\" d=\"M28 14h40l-6 56H34z\"/><path class=\"s\" d=\"M58 14h10l-6 56h-8z\"/><path "
        "class=\"b\" d=\"M28 "
        "10h40v6H28z\"/><path class=\"c\" d=\"M36 70h24v16H36z\"/><path class=\"s\" d=\"M54 "
        "70h6v16h-6z\"/><use href=\"#al\" "
        "x=\"34\" y=\"26\" width=\"26\" height=\"28\"/><path class=\"h\" d=\"M31 16h3l5 54h-3z\"/>",
    [PAGE_ART_PILL] = "<path class=\"w\" d=\"M34 12h28v14H34z\"/><path class=\"s\" d=\"M56 "
                      "12h6v14h-6z\"/><path class=\"a\" d=\"M30 28h36a4 4 0 "
                      "0 1 4 4v48a6 6 0 0 1-6 6H32a6 6 0 0 1-6-6V32a4 4 0 0 1 4-4z\"/><path class=\"s\" "
                      "d=\"M60 28h6a4 4 0 0 1 4 4v48a6 6 0 0 "
                      "1-6 6h-4z\"/><path class=\"c\" d=\"M26 42h44v28H26z\"/><path class=\"b\" d=\"M45 "
                      "47h6v6h6v6h-6v6h-6v-6h-6v-6h6z\"/>",
    [PAGE_ART_ROLL] = "<path class=\"w\" d=\"M20 28h44v58H20z\"/><path class=\"s\" d=\"M52 "
                      "28h12v58H52z\"/><ellipse class=\"m\" cx=\"64\" cy=\"57\" "
                      "rx=\"14\" ry=\"29\"/><ellipse class=\"n7\" cx=\"64\" cy=\"57\" rx=\"5\" "
                      "ry=\"10\"/><ellipse class=\"w\" cx=\"20\" cy=\"57\" "
                      "rx=\"6\" ry=\"29\"/><path class=\"a\" d=\"M26 40h18v34H26z\"/><path class=\"c\" "
                      "d=\"M30 48h10v4H30zM30 56h10v4H30zM30 64h6v3h-6z\"/>",
    [PAGE_ART_SPRAY] = "<path class=\"b\" d=\"M30 10h26l8 8v6H52v8H40v-8c-6 0-8 4-12 8l-4-4c4-6 6-10 "
                       "6-18z\"/><path class=\"c\" d=\"M40 32h12v8H40z\"/>"
                       "<path class=\"a\" d=\"M38 40h16c10 6 14 12 14 22v18a6 6 0 0 1-6 6H30a6 6 0 0 "
                       "1-6-6V62c0-10 4-16 14-22z\"/><path class=\"s\" "
                       "d=\"M54 40c10 6 14 12 14 22v18a6 6 0 0 1-6 6h-6c6-14 6-30-2-46z\"/><use href=\"#al\" "
                       "x=\"28\" y=\"58\" width=\"34\" "
                       "height=\"20\"/>",
    [PAGE_ART_BABY] = "<path class=\"n0\" d=\"M43 14c0-10 10-10 10 0l4 8H39z\"/><path class=\"b\" d=\"M32 "
                      "22h32v9H32z\"/><path class=\"c\" d=\"M34 "
                      "31h28c5 4 6 8 6 14v35a6 6 0 0 1-6 6H34a6 6 0 0 1-6-6V45c0-6 1-10 6-14z\"/><path "
                      "class=\"a\" d=\"M28 56c10-4 30 4 40 0v24a6 "
                      "6 0 0 1-6 6H34a6 6 0 0 1-6-6z\"/><path class=\"s\" d=\"M58 31h4c5 4 6 8 6 14v35a6 6 0 "
                      "0 1-6 6h-4z\"/><path class=\"d\" "
                      "d=\"M34 46h8M34 56h8M34 66h8M34 76h8\"/>",
    [PAGE_ART_PAW] = "<ellipse class=\"a\" cx=\"22\" cy=\"46\" rx=\"8\" ry=\"11\"/><ellipse class=\"a\" "
                     "cx=\"38\" cy=\"28\" rx=\"9\" ry=\"12\"/>"
                     "<ellipse class=\"a\" cx=\"60\" cy=\"28\" rx=\"9\" ry=\"12\"/><ellipse class=\"a\" "
                     "cx=\"76\" cy=\"46\" rx=\"8\" ry=\"11\"/>"
                     "<path class=\"b\" d=\"M49 46c14 0 26 18 24 30-2 10-14 10-24 7-10 3-22 3-24-7-2-12 "
                     "10-30 24-30z\"/><path class=\"h\" d=\"M38 "
                     "60c3-5 7-8 11-8-6 4-9 9-10 15z\"/>",
    [PAGE_ART_FLOWER] = "<path class=\"n2\" d=\"M46 50h4v36h-4z\"/><path class=\"n4\" d=\"M48 78c-14 "
                        "2-22-4-24-14 12-2 22 4 24 14zM48 70c12 2 20-2 "
                        "24-12-12-2-22 2-24 12z\"/><circle class=\"a\" cx=\"48\" cy=\"18\" r=\"11\"/><circle "
                        "class=\"a\" cx=\"64\" cy=\"30\" r=\"11\"/>"
                        "<circle class=\"a\" cx=\"58\" cy=\"48\" r=\"11\"/><circle class=\"a\" cx=\"38\" "
                        "cy=\"48\" r=\"11\"/><circle class=\"a\" "
                        "cx=\"32\" cy=\"30\" r=\"11\"/><circle class=\"n5\" cx=\"48\" cy=\"34\" r=\"10\"/>",
    [PAGE_ART_PAPER] = "<path class=\"w\" d=\"M22 16h52v70H22z\"/><path class=\"s\" d=\"M66 "
                       "16h8v70h-8z\"/><path class=\"a\" d=\"M22 16h52v16H22z\"/>"
                       "<path class=\"b\" d=\"M28 40h18v18H28z\"/><path class=\"m\" d=\"M50 40h16v4H50zM50 "
                       "47h16v4H50zM50 54h12v4H50zM28 64h38v4H28zM28 "
                       "71h38v4H28zM28 78h26v3H28z\"/><path class=\"c\" d=\"M28 21h26v6H28z\"/>",
    [PAGE_ART_FUEL] = "<path class=\"a\" d=\"M20 14h36a4 4 0 0 1 4 4v68H16V18a4 4 0 0 1 4-4z\"/><path "
                      "class=\"s\" d=\"M50 14h6a4 4 0 0 1 4 4v68H50z\"/>"
                      "<path class=\"c\" d=\"M23 22h30v18H23z\"/><path class=\"b\" d=\"M12 "
                      "82h52v4H12z\"/><path class=\"o\" d=\"M60 46h8c6 0 6 4 6 8v12c0 "
                      "8 10 8 10 0V36L74 24\"/>",
    [PAGE_ART_WINE] = "<path class=\"b\" d=\"M42 6h12v10H42z\"/><path class=\"n10\" d=\"M43 16h10v16c0 6 10 "
                      "8 10 18v32a4 4 0 0 1-4 4H37a4 4 0 0 "
                      "1-4-4V50c0-10 10-12 10-18z\"/><path class=\"s\" d=\"M55 38c4 2 8 6 8 12v32a4 4 0 0 "
                      "1-4 4h-5z\"/><use href=\"#al\" x=\"33\" y=\"54\" "
                      "width=\"30\" height=\"20\"/><path class=\"h\" d=\"M37 48h3v34h-3z\"/>",
    [PAGE_ART_BOWL] = "<path class=\"n4\" d=\"M20 48c-4-16 10-22 16-18 2-12 22-12 24-2 8-4 20 6 16 "
                      "20z\"/><circle class=\"n1\" cx=\"38\" cy=\"40\" "
                      "r=\"7\"/><circle class=\"n3\" cx=\"58\" cy=\"42\" r=\"6\"/><path class=\"a\" d=\"M10 "
                      "48h76c0 22-12 34-24 38H34C22 82 10 70 10 "
                      "48z\"/><path class=\"s\" d=\"M72 48h14c0 22-12 34-24 38h-6c10-8 16-20 16-38z\"/><path "
                      "class=\"c\" d=\"M10 48h76l-1 7H11z\"/>",
    [PAGE_ART_PERSON] = "<circle class=\"a\" cx=\"48\" cy=\"34\" r=\"17\"/><path class=\"b\" d=\"M16 86c0-20 "
                        "14-30 32-30s32 10 32 30z\"/>",
};

static const char label[] =
    "<symbol id=\"al\" viewBox=\"0 0 36 24\" preserveAspectRatio=\"none\"><path class=\"c\" d=\"M0 "
    "0h36v24H0z\"/>"
    "<path class=\"b x0\" d=\"M0 9h36v6H0z\"/><g class=\"b x1\"><circle cx=\"9\" cy=\"12\" r=\"4\"/><circle "
    "cx=\"18\" cy=\"12\" "
    "r=\"4\"/><circle cx=\"27\" cy=\"12\" r=\"4\"/></g><path class=\"b x2\" d=\"M18 3l9 9-9 9-9-9z\"/>"
    "<path class=\"b x3\" d=\"M0 14c6-8 12-8 18 0s12 8 18 0v10H0z\"/></symbol>";

/* The first line whose word stands in category, title or department, in this order, decides. */
static const struct {
    const char *word; /* in capitals */
    enum page_art art;
} by_word[] = {
    {"INFANT", PAGE_ART_BABY},       {"BABY", PAGE_ART_BABY},
    {"DIAPER", PAGE_ART_BABY},       {"CAT FOOD", PAGE_ART_PAW},
    {"DOG FOOD", PAGE_ART_PAW},      {"PET CARE", PAGE_ART_PAW},
    {"CAT LITTER", PAGE_ART_PAW},    {"BIRD", PAGE_ART_PAW},
    {"ICE CREAM", PAGE_ART_ICE},     {"NOVELTIES", PAGE_ART_ICE},
    {"PIZZA", PAGE_ART_PIZZA},       {"FRZN", PAGE_ART_FROZEN},
    {"FROZEN", PAGE_ART_FROZEN},     {"BY-PRODUCT", PAGE_ART_TUB},
    {"MILK", PAGE_ART_CARTON},       {"JUICE", PAGE_ART_CARTON},
    {"YOGURT", PAGE_ART_TUB},        {"MARGARINE", PAGE_ART_TUB},
    {"BUTTER", PAGE_ART_TUB},        {"MISC. DAIRY", PAGE_ART_TUB},
    {"DIPS", PAGE_ART_TUB},          {"CHEESE", PAGE_ART_CHEESE},
    {"EGG", PAGE_ART_EGGS},          {"WINE", PAGE_ART_WINE},
    {"LIQUOR", PAGE_ART_WINE},       {"BEER", PAGE_ART_BOTTLE},
    {"SOFT DRINK", PAGE_ART_BOTTLE}, {"WATER", PAGE_ART_BOTTLE},
    {"ISOTONIC", PAGE_ART_BOTTLE},   {"OIL", PAGE_ART_BOTTLE},
    {"SYRUP", PAGE_ART_BOTTLE},      {"COFFEE", PAGE_ART_CUP},
    {"TEA", PAGE_ART_CUP},           {"COCOA", PAGE_ART_CUP},
    {"SALAD BAR", PAGE_ART_BOWL},    {"DRSNG", PAGE_ART_BOTTLE},
    {"SALAD", PAGE_ART_LEAF},        {"BANANA", PAGE_ART_BANANA},
    {"TROPICAL", PAGE_ART_BANANA},   {"BERRIES", PAGE_ART_BERRY},
    {"GRAPES", PAGE_ART_BERRY},      {"APPLE", PAGE_ART_APPLE},
    {"CITRUS", PAGE_ART_APPLE},      {"STONE FRUIT", PAGE_ART_APPLE},
    {"MELON", PAGE_ART_APPLE},       {"PEARS", PAGE_ART_APPLE},
    {"TOMATO", PAGE_ART_APPLE},      {"SHELF STABLE", PAGE_ART_CAN},
    {"SOUP", PAGE_ART_CAN},          {"BEANS", PAGE_ART_CAN},
    {"CANNED", PAGE_ART_CAN},        {"CARROT", PAGE_ART_CARROT},
    {"POTATO CHIP", PAGE_ART_BAG},   {"POTATOES", PAGE_ART_CARROT},
    {"ONION", PAGE_ART_CARROT},      {"CORN", PAGE_ART_CARROT},
    {"ROOT", PAGE_ART_CARROT},       {"BROCCOLI", PAGE_ART_LEAF},
    {"HERB", PAGE_ART_LEAF},         {"PEPPERS", PAGE_ART_APPLE},
    {"VEGETABLE", PAGE_ART_LEAF},    {"SEAFOOD", PAGE_ART_FISH},
    {"FISH", PAGE_ART_FISH},         {"SAUSAGE", PAGE_ART_SAUSAGE},
    {"HOT DOG", PAGE_ART_SAUSAGE},   {"LUNCHMEAT", PAGE_ART_SAUSAGE},
    {"FRANK", PAGE_ART_SAUSAGE},     {"BACON", PAGE_ART_MEAT},
    {"BEEF", PAGE_ART_MEAT},         {"PORK", PAGE_ART_MEAT},
    {"CHICKEN", PAGE_ART_MEAT},      {"TURKEY", PAGE_ART_MEAT},
    {"MEAT", PAGE_ART_MEAT},         {"LAMB", PAGE_ART_MEAT},
    {"BREAD", PAGE_ART_BREAD},       {"ROLLS", PAGE_ART_BREAD},
    {"DOUGH", PAGE_ART_BREAD},       {"BAGEL", PAGE_ART_BREAD},
    {"CAKE", PAGE_ART_CAKE},         {"PIES", PAGE_ART_CAKE},
    {"SWEET GOODS", PAGE_ART_CAKE},  {"BREAKFAST SWEETS", PAGE_ART_CAKE},
    {"COOKIE", PAGE_ART_BAG},        {"CANDY", PAGE_ART_CANDY},
    {"GUM", PAGE_ART_CANDY},         {"SNACK", PAGE_ART_BAG},
    {"CHIPS", PAGE_ART_BAG},         {"POPCORN", PAGE_ART_BAG},
    {"NUTS", PAGE_ART_BAG},          {"RICE", PAGE_ART_BAG},
    {"SUGAR", PAGE_ART_BAG},         {"FLOUR", PAGE_ART_BAG},
    {"PASTA SAUCE", PAGE_ART_JAR},   {"SAUCE", PAGE_ART_BOTTLE},
    {"CONDIMENT", PAGE_ART_BOTTLE},  {"PICKLE", PAGE_ART_JAR},
    {"OLIVE", PAGE_ART_JAR},         {"JELLY", PAGE_ART_JAR},
    {"JAMS", PAGE_ART_JAR},          {"SPICE", PAGE_ART_JAR},
    {"HISPANIC", PAGE_ART_JAR},      {"TISSUE", PAGE_ART_ROLL},
    {"TOWEL", PAGE_ART_ROLL},        {"NAPKIN", PAGE_ART_ROLL},
    {"FACIAL TISS", PAGE_ART_ROLL},  {"WRAPS", PAGE_ART_ROLL},
    {"DETERGENT", PAGE_ART_SPRAY},   {"CLEANG", PAGE_ART_SPRAY},
    {"BLEACH", PAGE_ART_SPRAY},      {"AIR CARE", PAGE_ART_SPRAY},
    {"LAUNDRY", PAGE_ART_SPRAY},     {"HAIR", PAGE_ART_TUBE},
    {"ORAL", PAGE_ART_TUBE},         {"SOAP", PAGE_ART_TUBE},
    {"DEODORANT", PAGE_ART_TUBE},    {"MAKEUP", PAGE_ART_TUBE},
    {"SHAV", PAGE_ART_TUBE},         {"LOTION", PAGE_ART_TUBE},
    {"COLD AND FLU", PAGE_ART_PILL}, {"ANALGESIC", PAGE_ART_PILL},
    {"VITAMIN", PAGE_ART_PILL},      {"FIRST AID", PAGE_ART_PILL},
    {"DIET", PAGE_ART_PILL},         {"ANTACID", PAGE_ART_PILL},
    {"MAGAZINE", PAGE_ART_PAPER},    {"NEWSPAPER", PAGE_ART_PAPER},
    {"GREETING", PAGE_ART_PAPER},    {"STATIONERY", PAGE_ART_PAPER},
    {"FLORAL", PAGE_ART_FLOWER},     {"GARDEN", PAGE_ART_FLOWER},
    {"FUEL", PAGE_ART_FUEL},         {"GAS", PAGE_ART_FUEL},
    {"PASTRY", PAGE_ART_CAKE},       {"COSMETICS", PAGE_ART_TUBE},
    {"DELI", PAGE_ART_SAUSAGE},      {"SPIRITS", PAGE_ART_WINE},
    {"PRODUCE", PAGE_ART_LEAF},      {"CEREAL", PAGE_ART_BOX},
};

static char capital(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool holds(struct bytes text, const char *word)
{
    size_t n = strlen(word);

    for (size_t at = 0; at + n <= text.n; at++) {
        size_t same = 0;

        while (same < n && capital(text.p[at + same]) == word[same])
            same++;
        if (same == n)
            return true;
    }
    return false;
}

enum page_art page_art_of(struct bytes department, struct bytes category, struct bytes title)
{
    const struct bytes texts[] = {category, title, department};

    for (size_t t = 0; t < 3; t++)
        for (size_t i = 0; i < sizeof(by_word) / sizeof(by_word[0]); i++)
            if (holds(texts[t], by_word[i].word))
                return by_word[i].art;
    return PAGE_ART_BOX;
}

void page_art_symbols(struct html *html, uint64_t used)
{
    html_raw(html,
             "<svg class=\"symbols\" width=\"0\" height=\"0\" aria-hidden=\"true\" focusable=\"false\">");
    html_raw(html, "<radialGradient id=\"gl\" cx=\".35\" cy=\".3\" r=\".8\"><stop stop-color=\"#fff\"/><stop "
                   "offset=\"1\" "
                   "stop-color=\"#fff\" stop-opacity=\"0\"/></radialGradient>");
    html_raw(html, label);
    for (int i = 0; i < PAGE_ARTS_; i++) {
        if ((used >> i & 1) == 0)
            continue;
        html_rawf(html, "<symbol id=\"a%d\" viewBox=\"0 0 96 96\">", i);
        html_raw(html, drawings[i]);
        html_raw(html, "</symbol>");
    }
    html_raw(html, "</svg>");
}

void page_art_write(struct html *html, enum page_art art, uint64_t seed, bool is_small)
{
    unsigned colour = (unsigned)(seed % PAGE_ART_COLOURWAYS);
    unsigned motif = (unsigned)(seed / PAGE_ART_COLOURWAYS % PAGE_ART_MOTIFS);

    assert(art >= 0 && art < PAGE_ARTS_);
    if (is_small) {
        html_rawf(
            html,
            "<svg class=\"art small k%u m%u\" viewBox=\"0 0 96 96\" aria-hidden=\"true\" focusable=\"false\">"
            "<path class=\"g\" d=\"M0 0h96v96H0z\"/><use href=\"#a%d\" x=\"12\" y=\"10\" width=\"72\" "
            "height=\"72\"/></svg>",
            colour, motif, (int)art);
        return;
    }
    html_rawf(html,
              "<svg class=\"art k%u m%u\" viewBox=\"0 0 160 112\" aria-hidden=\"true\" focusable=\"false\">"
              "<path class=\"g\" d=\"M0 0h160v112H0z\"/><ellipse class=\"gl\" cx=\"62\" cy=\"42\" rx=\"64\" "
              "ry=\"44\"/>"
              "<ellipse class=\"gs\" cx=\"84\" cy=\"96\" rx=\"42\" ry=\"5\"/>"
              "<use href=\"#a%d\" x=\"34\" y=\"10\" width=\"92\" height=\"92\"/></svg>",
              colour, motif, (int)art);
}
